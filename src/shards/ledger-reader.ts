import type { Pool } from 'pg';

/** What a node's ledger says of one lane: the jobs that are stored there, and what became of their scans. */
export interface LaneLedger {
  lane: number;
  jobs: number;
  persisted: number;
  duplicate: number;
  dead: number;
}

export interface NodeLedger {
  lanes: LaneLedger[];
  /** dead letters that wait for an operator */
  deadLetters: number;
}

/** One node's ledger: the rows of single jobs, and the totals that older rows were folded into. */
export async function readNodeLedger(pool: Pool): Promise<NodeLedger> {
  const { rows } = await pool.query<LaneLedger>({
    name: 'node_ledger',
    text: `SELECT lane, sum(jobs)::float8 AS jobs, sum(persisted)::float8 AS persisted,
             sum(duplicate)::float8 AS duplicate, sum(dead)::float8 AS dead
           FROM (SELECT lane, sum(jobs) AS jobs, sum(persisted) AS persisted, sum(duplicate) AS duplicate, sum(dead) AS dead
                 FROM ledger GROUP BY lane
                 UNION ALL SELECT lane, jobs, persisted, duplicate, dead FROM ledger_totals) AS parts
           GROUP BY lane ORDER BY lane`,
  });
  const letters = await pool.query<{ count: number }>({
    name: 'node_dead_letters',
    text: 'SELECT count(*)::float8 AS count FROM dead_letters',
  });
  return { lanes: rows, deadLetters: letters.rows[0]?.count ?? 0 };
}
