import type { PgPool } from 'bullmq';
import { COUNTED_AT_MOST, type LaneBacklog, LOOKED_AT_MOST, type Sample, toBacklog } from './backlog.ts';
import { laneQueueName } from './lanes.ts';

const counted = (state: string) =>
  `(SELECT count(*) FROM (SELECT FROM job WHERE queue = lane.queue AND state = '${state}' LIMIT ${COUNTED_AT_MOST}) j)::int`;

const looked = (state: string, order: string) =>
  `(SELECT id, added_at_ms, name FROM job WHERE queue = lane.queue AND state = '${state}' ${order} LIMIT ${LOOKED_AT_MOST})`;

/**
 * All lanes in one statement, which is one snapshot. Its time is the statement's, which is before the snapshot: a job that
 * was confirmed before it is seen. A waiting list is read at both ends, since jobs that come back, old as they are, stand
 * at the end (UNION counts a job once that is in both).
 */
const LOOK = `
  SELECT ${counted('waiting')} AS waiting, ${counted('active')} AS active, ${counted('delayed')} AS delayed,
    ${counted('failed')} AS failed, seen.read::int, seen.scans::int AS "scansRead", seen.oldest::float8,
    coalesce((SELECT sum(jobs) FROM liftline_enqueued e WHERE e.queue = lane.queue), 0)::float8 AS enqueued,
    floor(extract(epoch FROM statement_timestamp()) * 1000)::float8 AS "takenAt"
  FROM unnest($1::text[]) WITH ORDINALITY AS lane (queue, place)
  CROSS JOIN LATERAL (
    SELECT count(*) AS read, min(added_at_ms) AS oldest,
      coalesce(sum(CASE WHEN name ~ '^[0-9]{1,6}$' THEN name::int END), 0) AS scans
    FROM (
      ${looked('waiting', 'ORDER BY priority, seq')} UNION ${looked('waiting', 'ORDER BY priority DESC, seq DESC')}
      UNION ${looked('active', '')} UNION ${looked('delayed', '')} UNION ${looked('failed', '')}
    ) jobs
  ) seen
  ORDER BY lane.place`;

export async function backlogOnPostgres(pool: PgPool, lanes: readonly number[]): Promise<LaneBacklog[]> {
  const { rows } = await pool.query<Sample>(LOOK, [lanes.map(laneQueueName)]);
  return lanes.map((lane, i) => toBacklog(lane, rows[i] as Sample));
}
