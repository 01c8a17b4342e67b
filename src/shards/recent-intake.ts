import type { Pool } from 'pg';

/** Of one lane: scans that a node has stored, and that were accepted lately. */
export interface LaneIntake {
  lane: number;
  scans: number;
}

/** What was committed longer ago than this beside the time asked for was not accepted in it, however the clocks differ. */
const CLOCKS_DIFFER_S = 60;

/**
 * Scans by when they were accepted, not stored: what workers store while they catch up says nothing of what comes in.
 *
 * @param o.sinceMs milliseconds since the epoch, on the clock of the queue's server
 * @param o.windowS how long ago that is, seconds: keeps the look at the ledger short
 */
export async function readRecentIntake(pool: Pool, o: { sinceMs: number; windowS: number }): Promise<LaneIntake[]> {
  const { rows } = await pool.query<LaneIntake>({
    name: 'recent_intake',
    text: `SELECT lane, sum(scans)::float8 AS scans FROM ledger
           WHERE committed_at > now() - $2::int * interval '1 second' AND accepted_at > to_timestamp($1::float8 / 1000)
           GROUP BY lane`,
    values: [o.sinceMs, o.windowS + CLOCKS_DIFFER_S],
  });
  return rows;
}
