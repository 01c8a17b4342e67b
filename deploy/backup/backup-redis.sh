#!/usr/bin/env bash
# backup-redis.sh FOLDER: copies the append-only files of a running Redis 7 (or newer) into FOLDER/<time>, on its own host.
#
# Needs redis-cli (Debian: redis-tools) and QUEUE_URL. The copy is a beginning of what Redis has written: whatever was confirmed
# before the copy began is in it. To restore: stop Redis, put the copied folder in the place of its own (CONFIG GET dir and
# appenddirname), start it with appendonly yes. Jobs that were stored since then come back and run again: their ledger rows and the
# shards' keys absorb them. Against the loss of the host a replica and QUEUE_REPLICAS are better: they lose nothing.
set -euo pipefail
umask 077

folder=${1:?usage: backup-redis.sh FOLDER}
url=${QUEUE_URL:?must be set: redis://...}
login=()
if [[ $url =~ ^(rediss?://)([^:/@]*):([^@/]*)@(.*)$ ]]; then
  url=${BASH_REMATCH[1]}${BASH_REMATCH[4]}
  [ -z "${BASH_REMATCH[2]}" ] || login=(--user "${BASH_REMATCH[2]}")
  password=${BASH_REMATCH[3]//\\/\\\\}
  REDISCLI_AUTH=$(printf '%b' "${password//%/\\x}") # where no list of processes shows it
  export REDISCLI_AUTH
fi
redis() { redis-cli -u "$url" "${login[@]}" --no-auth-warning -e "$@"; }
setting() { redis CONFIG GET "$1" | sed -n 2p; }

[ "$(setting appendonly)" = yes ] || { echo 'this Redis has no append-only file' >&2; exit 1; }
data=$(setting dir)/$(setting appenddirname)
[ -d "$data" ] || { echo "$data is not on this host" >&2; exit 1; }

# a rewrite would exchange the files under the copy
percentage=$(setting auto-aof-rewrite-percentage)
redis CONFIG SET auto-aof-rewrite-percentage 0 >/dev/null
trap 'redis CONFIG SET auto-aof-rewrite-percentage "$percentage" >/dev/null' EXIT
while redis INFO persistence | grep -Eq '^aof_rewrite_(in_progress|scheduled):1'; do sleep 1; done

place=$folder/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$place.part"
cp -a "$data" "$place.part/"
sync --file-system "$place.part"
mv "$place.part" "$place"
sync --file-system "$folder"
echo "$place"
