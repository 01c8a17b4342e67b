/** What an error of a node means for whoever wrote or read there. */
export type Verdict = 'transient' | 'stale-map' | 'permanent';

/**
 * Errors that lie in the row itself and come back however often it is tried: data exceptions (class 22), and the
 * constraints that a single row can break. Everything that is not listed here is transient: it is tried again.
 * A CHECK has a constraint name; the same 23514 without one is a missing partition, which means a stale map.
 */
const PERMANENT_CLASS = '22';
const PERMANENT = new Set(['23502', '23503', '23514']);
const NO_PARTITION = '23514';
/** undefined_table and invalid_schema_name: a reader named a leaf that has left the node */
const LEAF_IS_GONE = new Set(['42P01', '3F000']);

/** The fields that postgres.js and pg give to an error that Postgres sent. */
interface ServerError {
  code: string;
  constraint: string | undefined;
}

/** @returns the SQLSTATE of an error that Postgres sent, or undefined: the connection broke, or it never answered */
export function sqlStateOf(error: unknown): string | undefined {
  return serverErrorOf(error)?.code;
}

/** Whether the node says that it does not have the shard: no partition for the row, or no such leaf. */
export function isStaleMap(error: unknown): boolean {
  return classify(error) === 'stale-map';
}

export function classify(error: unknown): Verdict {
  const server = serverErrorOf(error);
  if (!server) return 'transient';
  if (LEAF_IS_GONE.has(server.code)) return 'stale-map';
  if (server.code === NO_PARTITION && server.constraint === undefined) return 'stale-map';
  if (server.code.startsWith(PERMANENT_CLASS) || PERMANENT.has(server.code)) return 'permanent';
  return 'transient';
}

/**
 * Classes that say "not now" and nothing about the write: connection, rollback (deadlock), resources, object in use,
 * operator intervention (shutdown, statement timeout), system.
 */
const EXPECTED_CLASS = /^(08|40|53|55|57|58)/;
/** A node restored from a backup, or a leaf being moved, is read-only for a moment. */
const READ_ONLY = '25006';

/** Whether a transient error is one that nodes give in normal life; the others are tried again too, and somebody must look. */
export function isExpected(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return EXPECTED_CLASS.test(state) || state === READ_ONLY;
  return error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
}

function serverErrorOf(error: unknown): ServerError | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('severity' in error && 'code' in error && typeof error.code === 'string') {
    const constraint =
      'constraint_name' in error ? error.constraint_name : 'constraint' in error ? error.constraint : undefined;
    return { code: error.code, constraint: typeof constraint === 'string' ? constraint : undefined };
  }
  return serverErrorOf(error.cause);
}
