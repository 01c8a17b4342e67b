#!/usr/bin/env bash
# restore.sh BACKUP DUMP URL: restores one dump of a backup (node-alps, or directory) into the empty database at URL.
#
#   createdb -h db2 -U postgres alps
#   restore.sh backups/20260131T030000Z node-alps postgres://postgres:...@db2/alps
#   liftline init --node alps=postgres://postgres:...@db2/alps --shards 64 --lanes 4     # its new address; the counts as they were
#
# Needs psql and pg_restore (Debian: postgresql-client). All of it is restored, or nothing. Workers may run meanwhile: they hold
# what belongs to the node, and go on by themselves.
set -euo pipefail

usage='usage: restore.sh BACKUP DUMP URL'
backup=${1:?$usage} dump=${2:?$usage} target=${3:?$usage}

. "$(dirname "$(readlink -f "$0")")/connect.sh"

file=$dump.dump
(cd "$backup" && grep -- " $file\$" SHA256SUMS | sha256sum --check --status) || {
  echo "$backup/$file is missing, or not what was backed up" >&2
  exit 1
}
tables=$(ask "$target" "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
if [ "$tables" -ne 0 ]; then
  echo "the database at the target has $tables tables: restore into an empty one" >&2
  exit 1
fi
run pg_restore "$target" --single-transaction --exit-on-error --no-owner --no-privileges "$backup/$file"
# Readers know what they have by transactions of the server that was dumped: here these mean nothing. With another identity
# they start anew, and what was restored is older than all that they will ask for (dropping the column rewrites no row).
nodes=$(ask "$target" "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'node_identity'")
if [ "$nodes" -eq 1 ]; then
  ask "$target" "BEGIN;
    UPDATE node_identity SET identity = gen_random_uuid();
    ALTER TABLE scans DROP COLUMN stored_xid;
    ALTER TABLE scans ADD COLUMN stored_xid xid8;
    ALTER TABLE scans ALTER COLUMN stored_xid SET DEFAULT pg_current_xact_id();
    TRUNCATE changes;
    COMMIT"
fi
# The same numbers may soon be other rides: what was kept of the dumped installation's answers in a Redis is not this one's.
named=$(ask "$target" "SELECT count(*) FROM information_schema.columns
  WHERE table_schema = 'public' AND table_name = 'settings' AND column_name = 'installation'")
if [ "$named" -eq 1 ]; then ask "$target" "UPDATE settings SET installation = gen_random_uuid()"; fi
ask "$target" ANALYZE
echo "$dump is restored; if its address is new, tell the directory: liftline init --node NAME=URL" >&2
