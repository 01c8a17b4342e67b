import postgres, { type Sql, type TransactionSql } from 'postgres';
import { shardSchema } from '../domain/shard.ts';
import { pendingMigrations, runMigrations } from '../platform/migrate.ts';

const MIGRATIONS = new URL('../../migrations/node/', import.meta.url);
/** An arbitrary number, the same in every version. */
const LOCK_KEY = 720_513_905;
/** Part of each page that inserts leave free, so that a row that grows with the day's rides stays in its page. */
const SKIER_DAYS_FILLFACTOR = 80;

/**
 * Brings a node's tables up to date and gives it the leaves of its shards; does nothing where that is done already. Leaves
 * of other shards are left alone.
 *
 * @param url `postgres://...` of the node's database
 * @param shards those that the map puts there
 * @throws MigrationError, or the error of a node that is away
 */
export async function prepareNode(url: string, shards: readonly number[]): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await runMigrations(sql, MIGRATIONS);
    await createLeaves(sql, shards);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function createLeaves(sql: Sql, shards: readonly number[]): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK_KEY})`;
    const known = await tx<{ name: string }[]>`select nspname as name from pg_namespace where nspname like 'shard\\_%'`;
    const schemas = new Set(known.map(({ name }) => name));
    for (const shard of shards.filter((candidate) => !schemas.has(shardSchema(candidate)))) await createLeaf(tx, shard);
  });
}

async function createLeaf(tx: TransactionSql, shard: number): Promise<void> {
  const schema = shardSchema(shard);
  await tx.unsafe(`
    create schema ${schema};
    create table ${schema}.scans partition of scans for values in (${shard});
    create table ${schema}.skier_days partition of skier_days for values in (${shard})
      with (fillfactor = ${SKIER_DAYS_FILLFACTOR});`);
}

/**
 * @returns the files of a node's tables that this database still lacks
 * @throws MigrationError when a newer version wrote it
 */
export function pendingNodeMigrations(sql: Sql): Promise<string[]> {
  return pendingMigrations(sql, MIGRATIONS);
}

/** @returns the shards whose tables are all attached here, in order */
export async function attachedShards(sql: Sql): Promise<number[]> {
  const rows = await sql<{ schema: string }[]>`
    select n.nspname as schema from pg_inherits i
    join pg_class leaf on leaf.oid = i.inhrelid join pg_namespace n on n.oid = leaf.relnamespace
    where i.inhparent in ('scans'::regclass, 'skier_days'::regclass)
    group by n.nspname having count(*) = 2`;
  return rows.map(({ schema }) => Number(schema.replace(/^shard_/, ''))).toSorted((a, b) => a - b);
}
