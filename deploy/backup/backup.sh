#!/usr/bin/env bash
# backup.sh FOLDER: dumps the directory and every node into FOLDER/<time>, while everything runs.
#
# Needs psql and pg_dump of the servers' major version or newer (Debian: postgresql-client), and DIRECTORY_URL. Each dump is
# consistent in itself: scans, totals and ledger of one moment. What a node stored after its dump began is not in it, nor what
# still waited in the queue then: see "Backup and restore" in the README. A backup that is not whole has a name that ends in .part.
set -euo pipefail
umask 077

folder=${1:?usage: backup.sh FOLDER}
: "${DIRECTORY_URL:?must be set: the database of the directory}"

. "$(dirname "$(readlink -f "$0")")/connect.sh"

dump() { # dump URL FILE
  echo "dumping $(basename "$2")" >&2
  run pg_dump "$1" --format=custom --no-owner --no-privileges --file="$2"
}
shard_map() { ask "$DIRECTORY_URL" "SELECT string_agg(shard || ':' || node_id || ':' || epoch, ',' ORDER BY shard) FROM shards"; }

place=$folder/$(date -u +%Y%m%dT%H%M%SZ)
part=$place.part
mkdir -p "$folder"
mkdir "$part"
map_before=$(shard_map)
nodes=$(ask "$DIRECTORY_URL" "SELECT name || ' ' || url FROM nodes ORDER BY name")
while read -r name url; do
  dump "$url" "$part/node-$name.dump"
done <<<"$nodes"
dump "$DIRECTORY_URL" "$part/directory.dump"
if [ "$(shard_map)" != "$map_before" ]; then
  echo 'a shard moved to another node meanwhile: do it again when no move is under way' >&2
  exit 1
fi
(cd "$part" && sha256sum -- *.dump >SHA256SUMS)
sync --file-system "$part"
mv "$part" "$place"
sync --file-system "$folder"
echo "$place"
