import type { Pool } from 'pg';

/** An arbitrary number, the same in every version. */
const LOCK_KEY = 720_513_906;
const ROWS_AT_ONCE = 20_000;

/**
 * Folds the ledger rows of jobs that were stored long ago into one row a lane; the sums stay what they are at any moment.
 * Of several workers that do it at the same time, one does.
 *
 * @param days how old a row must be, 1 or more
 * @returns how many rows were folded
 */
export async function foldLedger(pool: Pool, days: number): Promise<number> {
  let folded = 0;
  for (;;) {
    const { rows } = await pool.query<{ jobs: number }>(FOLD, [LOCK_KEY, days, ROWS_AT_ONCE]);
    const count = rows[0]?.jobs ?? 0;
    folded += count;
    if (count < ROWS_AT_ONCE) return folded;
  }
}

const FOLD = `
  WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS mine),
  old AS (
    DELETE FROM ledger WHERE (SELECT mine FROM turn) AND batch_id IN (
      SELECT batch_id FROM ledger WHERE committed_at < now() - $2::int * interval '1 day' LIMIT $3)
    RETURNING lane, jobs, scans, persisted, duplicate, dead
  ),
  folded AS (
    INSERT INTO ledger_totals (lane, jobs, scans, persisted, duplicate, dead)
    SELECT lane, sum(jobs), sum(scans), sum(persisted), sum(duplicate), sum(dead) FROM old GROUP BY lane
    ON CONFLICT (lane) DO UPDATE SET
      jobs = ledger_totals.jobs + excluded.jobs,
      scans = ledger_totals.scans + excluded.scans,
      persisted = ledger_totals.persisted + excluded.persisted,
      duplicate = ledger_totals.duplicate + excluded.duplicate,
      dead = ledger_totals.dead + excluded.dead
  )
  SELECT count(*)::int AS jobs FROM old`;
