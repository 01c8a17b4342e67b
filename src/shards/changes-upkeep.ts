import type { Pool } from 'pg';

/** Readers that were away for longer start anew. */
const KEPT_MINUTES = 10;

/** Removes the rows of changes that every reader has seen, or has given up. */
export async function forgetChanges(pool: Pool): Promise<void> {
  await pool.query(`DELETE FROM changes WHERE changed_at < clock_timestamp() - interval '${KEPT_MINUTES} minutes'`);
}
