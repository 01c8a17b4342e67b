import type { Pool } from 'pg';
import { told } from './read-at.ts';

/** By lane: milliseconds since the epoch, null before a keeper has told anything. */
export type LanesAsOf = Map<number, number | null>;

/** A keeper that was silent for longer has lost its lanes to whoever offers to keep them. */
const LEASE_MS = 1_500;

/**
 * Of several keepers of a lane one has its row at a time, and only that one moves it on, never back. Nothing is lost when
 * the server crashes but a moment of freshness: its commit does not wait for the disk.
 */
const KEEP = {
  name: 'keep_as_of',
  text: `
  WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
  INSERT INTO lane_as_of AS kept (lane, as_of, keeper)
  SELECT lane, coalesce(to_timestamp(as_of_ms / 1000), '-infinity'), $1
  FROM unnest($2::smallint[], $3::float8[]) AS told (lane, as_of_ms), quick
  ORDER BY lane
  ON CONFLICT (lane) DO UPDATE SET
    as_of = greatest(kept.as_of, excluded.as_of), keeper = excluded.keeper, kept_at = clock_timestamp()
    WHERE kept.keeper = $1 OR kept.kept_at < clock_timestamp() - $4 * interval '1 millisecond'
  RETURNING lane, (extract(epoch FROM as_of) * 1000)::float8 AS "asOf"`,
};

/**
 * Keeps the lanes of a node, or offers to.
 *
 * @param keeper a UUID of this process
 * @param looks for each lane up to when it is complete, milliseconds since the epoch; null leaves the row as it is
 * @returns the lanes that are this keeper's now, and what the node says of them
 * @throws whatever the node answers
 */
export async function keepAsOf(
  pool: Pool,
  keeper: string,
  looks: readonly { lane: number; asOf: number | null }[],
): Promise<LanesAsOf> {
  const { rows } = await pool.query<Row>({
    ...KEEP,
    values: [keeper, looks.map(({ lane }) => lane), looks.map(({ asOf }) => asOf), LEASE_MS],
  });
  return byLane(rows);
}

/** @returns what a node says of its lanes */
export async function readLanesAsOf(pool: Pool): Promise<LanesAsOf> {
  const { rows } = await pool.query<Row>({
    name: 'lanes_as_of',
    text: 'SELECT lane, (extract(epoch FROM as_of) * 1000)::float8 AS "asOf" FROM lane_as_of',
  });
  return byLane(rows);
}

interface Row {
  lane: number;
  asOf: number;
}

function byLane(rows: readonly Row[]): LanesAsOf {
  return new Map(rows.map(({ lane, asOf }) => [lane, told(asOf)]));
}
