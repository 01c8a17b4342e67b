import postgres from 'postgres';
import { until } from '../../client/until.ts';

/** Jobs whose times on a node can't be true. */
export interface WrongTimes {
  /** accepted after their COMMIT */
  ahead: number;
  /** accepted longer before their COMMIT than any job took */
  longBefore: number;
}

/**
 * Two clocks of one machine read a millisecond apart, and a job's time is the queue's clock as an edge knows it, which is
 * half a round trip off: a second is far more than both.
 */
const AHEAD_S = 1;
const FLOW_MS = 60_000;

/**
 * Holds the times at which jobs were accepted, by the queue server's clock, against those of their COMMITs, by the node's.
 *
 * @param longestS seconds that no job can have taken
 */
export function readWrongTimes(url: string, longestS: number): Promise<WrongTimes> {
  return onNode(url, async (sql) => {
    const [wrong] = await sql<[WrongTimes]>`
      SELECT count(*) FILTER (WHERE accepted_at > committed_at + make_interval(secs => ${AHEAD_S}))::int AS ahead,
        count(*) FILTER (WHERE accepted_at < committed_at - make_interval(secs => ${longestS}))::int AS "longBefore"
      FROM ledger`;
    return wrong;
  });
}

/**
 * Waits until the node has stored so many more scans than now: its lanes flow.
 *
 * @throws Error when that takes longer than a minute
 */
export async function untilMoreStored(node: { name: string; url: string }, scans: number): Promise<void> {
  const stored = () =>
    onNode(node.url, async (sql) => {
      const [{ sum }] = await sql<[{ sum: number }]>`SELECT coalesce(sum(scans), 0)::float8 AS sum FROM ledger`;
      return sum;
    });
  const before = await stored();
  const hasMore = async () => (await stored()) >= before + scans || undefined;
  await until(`${node.name} stores ${scans} more scans`, hasMore, { timeoutMs: FLOW_MS, everyMs: 250 });
}

/** @throws Error unless the node takes a write now */
export async function assertTakesWrites(url: string): Promise<void> {
  await onNode(url, (sql) =>
    sql.begin(async (writing) => {
      await writing`CREATE TABLE liftline_takes_writes AS SELECT 1 AS one`;
      await writing`DROP TABLE liftline_takes_writes`;
    }),
  );
}

/** The node goes on with a new file of its log, as it does when one is full. @throws Error when it has no room for that */
export async function beginLogFile(url: string): Promise<void> {
  await onNode(url, (sql) => sql`SELECT pg_switch_wal()`);
}

async function onNode<T>(url: string, ask: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const connection = { statement_timeout: 10_000 };
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {}, connection });
  try {
    return await ask(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}
