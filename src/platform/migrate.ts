import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ISql, Sql, TransactionSql } from 'postgres';

/** A database that these migration files can't bring up to date; the message is for an operator. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

interface Migration {
  name: string;
  checksum: string;
  text: string;
}

const FILE_NAME = /^\d{4}-[a-z0-9-]+\.sql$/;
/** An arbitrary number, the same in every version: advisory locks are per database. */
const LOCK_KEY = 720_513_904;

/**
 * Brings a database up to date with a folder of forward-only SQL files (`0001-name.sql`, in the order of their names).
 * All pending files are applied in one transaction under an advisory lock that ends with it: they apply wholly or not at
 * all, and whoever starts at the same time waits and then finds nothing to do.
 *
 * @param sql any client of the database; its statement timeout does not apply here
 * @param dir the folder; its last part names the set, so that one database can hold several sets
 * @returns the names of the files that were applied now
 * @throws MigrationError when an applied file was changed, or is unknown here because a newer version ran before
 */
export async function runMigrations(sql: Sql, dir: URL): Promise<string[]> {
  const folder = fileURLToPath(dir);
  const files = await readMigrations(folder);
  return sql.begin(async (tx) => {
    await tx`set local statement_timeout = 0`;
    await tx`set local lock_timeout = '60s'`;
    await tx`select pg_advisory_xact_lock(${LOCK_KEY})`;
    await createRecord(tx);
    return applyPending(tx, basename(folder), files);
  });
}

/**
 * Looks whether a database is up to date, and changes nothing.
 *
 * @returns the names of the files that it still lacks
 * @throws MigrationError as {@link runMigrations} would
 */
export async function pendingMigrations(sql: Sql, dir: URL): Promise<string[]> {
  const folder = fileURLToPath(dir);
  const files = await readMigrations(folder);
  const [found] = await sql<{ exists: boolean }[]>`select to_regclass('applied_migrations') is not null as exists`;
  if (!found?.exists) return files.map(({ name }) => name);
  return (await findPending(sql, basename(folder), files)).map(({ name }) => name);
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  const misnamed = names.filter((name) => !FILE_NAME.test(name));
  if (misnamed.length > 0) throw new MigrationError(`misnamed migration files: ${misnamed.join(', ')}`);
  return Promise.all(
    names.map(async (name) => {
      // a checkout with CRLF line ends holds the same migration
      const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/** Asked first, since `create table if not exists` answers with a notice each time. */
async function createRecord(tx: TransactionSql): Promise<void> {
  const [found] = await tx<{ exists: boolean }[]>`select to_regclass('applied_migrations') is not null as exists`;
  if (found?.exists) return;
  await tx`create table applied_migrations (
    migration_set text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (migration_set, name))`;
}

async function findPending(sql: ISql, set: string, files: Migration[]): Promise<Migration[]> {
  const applied = await sql<{ name: string; checksum: string }[]>`
    select name, checksum from applied_migrations where migration_set = ${set} order by name collate "C"`;
  refuseUnknown(set, applied, files);
  return files.slice(applied.length);
}

async function applyPending(tx: TransactionSql, set: string, files: Migration[]): Promise<string[]> {
  const pending = await findPending(tx, set, files);
  for (const { name, text, checksum } of pending) {
    await tx.unsafe(text);
    await tx`insert into applied_migrations (migration_set, name, checksum) values (${set}, ${name}, ${checksum})`;
  }
  return pending.map(({ name }) => name);
}

/** What was applied must be what these files begin with: the same names with the same text. */
function refuseUnknown(set: string, applied: { name: string; checksum: string }[], files: Migration[]): void {
  const known = new Map(files.map(({ name, checksum }) => [name, checksum]));
  for (const { name, checksum } of applied) {
    if (!known.has(name))
      throw new MigrationError(`a newer version of Liftline wrote this database: it has ${set}/${name}`);
    if (known.get(name) !== checksum) throw new MigrationError(`${set}/${name} was changed after it was applied here`);
  }
  const skipped = files.slice(0, applied.length).find(({ name }, i) => name !== applied[i]?.name);
  if (skipped) throw new MigrationError(`${set}/${skipped.name} comes before files that were applied already`);
}
