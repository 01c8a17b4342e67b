import { DrizzleQueryError, sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { DatabaseError, Pool } from 'pg';
import { Problem } from '../domain/problem.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';

/** What queries of the directory run on: one connection, inside a transaction. */
export type DirectoryQueries = NodePgDatabase;

/** The control plane's database, for those who change it or list it; whoever only needs the snapshot follows it. */
export interface Directory {
  /**
   * Runs `work` on one consistent picture of the tables.
   *
   * @throws Problem `directory_unavailable` within seconds while it can't be reached
   */
  read<T>(work: (db: DirectoryQueries) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in a transaction. Changes run one at a time, in all processes: what `work` has read stays true until its
   * end. When `work` throws, nothing is changed.
   *
   * @throws Problem `directory_unavailable` within seconds while it can't be reached; the change may then have been made
   */
  change<T>(work: (db: DirectoryQueries) => Promise<T>): Promise<T>;
}

/** Every wait for the directory has an end, also behind a server that took the connection and then fell silent. */
export const CONNECTION_LIMITS = {
  connectionTimeoutMillis: 3_000,
  statement_timeout: 4_000,
  query_timeout: 5_000,
  idle_in_transaction_session_timeout: 10_000,
  keepAlive: true,
} as const;

const MAX_CONNECTIONS = 3;
const IDLE_MS = 5_000;

/** Opens the directory for as long as the process runs; nothing is connected before the first use. */
export function openDirectory(o: { url: string; lifecycle: Pick<Lifecycle, 'onStop'> }): Directory {
  const pool = openPool(o.url);
  o.lifecycle.onStop('directory pool', () => pool.end());
  return directoryOn(pool);
}

/** Opens the directory for one piece of work and closes it afterwards. */
export async function withDirectory<T>(url: string, work: (directory: Directory) => Promise<T>): Promise<T> {
  const pool = openPool(url);
  try {
    return await work(directoryOn(pool));
  } finally {
    await pool.end();
  }
}

function openPool(url: string): Pool {
  const pool = new Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    idleTimeoutMillis: IDLE_MS,
    ...CONNECTION_LIMITS,
  });
  // a connection broke: while idle, the pool drops it; while in use, the query fails as well. Unheard, either would end the process
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

function directoryOn(pool: Pool): Directory {
  return {
    read: (work) => onConnection(pool, (db) => inSnapshot(db, () => work(db))),
    change: (work) => onConnection(pool, (db) => inTurn(db, () => work(db))),
  };
}

/** A read-only transaction on one consistent picture. After an error the connection is to be thrown away. */
export async function inSnapshot<T>(db: DirectoryQueries, work: () => Promise<T>): Promise<T> {
  await db.execute(sql`begin isolation level repeatable read read only`);
  const result = await work();
  await db.execute(sql`commit`);
  return result;
}

/** The version's row is locked first: its trigger would lock it in the end, and two changes could then wait for each other. */
async function inTurn<T>(db: DirectoryQueries, work: () => Promise<T>): Promise<T> {
  await db.execute(sql`begin`);
  await db.execute(sql`select version from directory_version for update`);
  const result = await work();
  await db.execute(sql`commit`);
  return result;
}

/** Failed transactions are rolled back by closing their connection, which also works when it no longer answers. */
async function onConnection<T>(pool: Pool, work: (db: DirectoryQueries) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw unavailable(cause);
  });
  try {
    const result = await work(drizzle(client));
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw isAbsence(error) ? unavailable(error) : error;
  }
}

function unavailable(cause: unknown): Problem {
  const detail = isUndefinedTable(cause) ? 'the directory is not initialised' : 'the directory can not be reached';
  return new Problem('directory_unavailable', detail, { cause });
}

/**
 * Classes of SQLSTATE that say "not now" and nothing about the query: connection, transaction state (a standby), rollback
 * (deadlock), resources, object in use (lock timeout), operator intervention (shutdown, statement timeout), system.
 */
const ABSENT_CLASSES = new Set(['08', '25', '40', '53', '55', '57', '58']);

function isAbsence(error: unknown): boolean {
  if (!(error instanceof DrizzleQueryError)) return false;
  const state = sqlStateOf(error);
  if (state === undefined) return true; // no answer from the server: timeout or a broken connection
  return isUndefinedTable(error) || ABSENT_CLASSES.has(state.slice(0, 2));
}

function isUndefinedTable(error: unknown): boolean {
  return sqlStateOf(error) === '42P01';
}

/** Whether a query failed since a row with the same unique value exists. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === '23505';
}

function sqlStateOf(error: unknown): string | undefined {
  return error instanceof DrizzleQueryError && error.cause instanceof DatabaseError ? error.cause.code : undefined;
}
