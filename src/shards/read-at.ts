import { eq, type SQL, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { pgTable, smallint, timestamp, uuid } from 'drizzle-orm/pg-core';

/** A state of a shard on a node: whatever was stored later is new to whoever has read it. */
export interface Position {
  /** of the node's data; a copy of it has another one, and so has a replica that took over */
  identity: string;
  /** raised each time the shard changes its node */
  epoch: number;
  /** Postgres' `pg_snapshot` as text */
  snapshot: string;
}

/** What an answer was read from. */
export interface ReadAt {
  /**
   * Milliseconds since the epoch on the clock of the lane's queue: every scan whose ack said this or earlier is in the
   * answer, or is a dead letter. Null while no worker has told it.
   */
  asOf: number | null;
  position: Position;
}

/** What was read, and from which state: both of one statement, and so of one snapshot, also on a replica. */
export interface Answer<T> {
  found: T;
  at: ReadAt;
}

/**
 * The snapshot of the statement, as text. A replica does not tell which of its transactions are under way: all from the
 * oldest of them on count as unseen then, and what was stored since may be told twice, and is never left out.
 */
export const SNAPSHOT = `CASE WHEN pg_is_in_recovery()
  THEN pg_snapshot_xmin(pg_current_snapshot())::text || ':' || pg_snapshot_xmin(pg_current_snapshot())::text || ':'
  ELSE pg_current_snapshot()::text END`;

/**
 * Which data a snapshot is of, in a statement that reads `node_identity`: the node's, in this line of its history. A replica
 * that takes over begins a new line: it may lack what the old primary had committed last, and gives those numbers to others.
 * (What pg_control tells of the line on a replica lags behind, so positions may lose their meaning a little longer than they must.)
 */
export const IDENTITY = `md5(node_identity.identity || CASE WHEN pg_is_in_recovery()
  THEN (SELECT upper(lpad(to_hex(timeline_id), 8, '0')) FROM pg_control_checkpoint())
  ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END)::uuid`;

const nodeIdentity = pgTable('node_identity', { identity: uuid('identity').notNull() });
const laneAsOf = pgTable('lane_as_of', {
  lane: smallint('lane').notNull(),
  asOf: timestamp('as_of', { withTimezone: true }).notNull(),
});

/** One row of a node: its state, and the rows of a page. */
export interface StateAndRows<Row> {
  asOf: number | null;
  snapshot: string;
  identity: string;
  rows: Row[];
}

/**
 * @param lane whose `asOf` is read
 * @param page a query whose columns all have the names of the fields of its rows, in the order of the page
 * @returns a statement that answers with one row, to be prepared
 */
export function withState<Row>(db: NodePgDatabase, lane: number, page: { getSQL(): SQL }) {
  return db
    .select({
      asOf: sql<number | null>`(extract(epoch FROM ${laneAsOf.asOf}) * 1000)::float8`,
      snapshot: sql<string>`${sql.raw(SNAPSHOT)}`,
      identity: sql<string>`${sql.raw(IDENTITY)}`,
      rows: sql<Row[]>`coalesce((SELECT json_agg(page) FROM (${page.getSQL()}) AS page), '[]')`,
    })
    .from(nodeIdentity)
    .leftJoin(laneAsOf, eq(laneAsOf.lane, lane));
}

/** @throws Error for a node without its row of identity, which every migration makes */
export function toAnswer<Row>([state]: StateAndRows<Row>[], epoch: number): Answer<Row[]> {
  if (!state) throw new Error('the node has no identity');
  const { asOf, identity, snapshot, rows } = state;
  return { found: rows, at: { asOf: told(asOf), position: { identity, epoch, snapshot } } };
}

/** @param asOf as Postgres has it: milliseconds, -Infinity before a keeper has told anything, null before there is one */
export function told(asOf: number | null): number | null {
  return asOf !== null && Number.isFinite(asOf) ? Math.round(asOf) : null;
}
