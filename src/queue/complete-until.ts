import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openLink, type PostgresLink, type QueueLink, type RedisLink } from './backend.ts';
import { withDeadline } from './deadline.ts';
import { POSTGRES_RAISE_MARK, REDIS_RAISE_MARK } from './lane-time.ts';
import { lanePrefix, laneQueueName, type QueueAddress } from './lanes.ts';

/** Up to when everything that a lane has taken is done with. */
export interface CompleteUntil {
  /**
   * @returns milliseconds since the epoch on the lane's clock: every scan whose ack said this or earlier is stored, or a dead
   *   letter. Undefined when the lane is too deep to look at each of its jobs
   * @throws Error when the queue does not answer in time
   */
  read(lane: number): Promise<number | undefined>;
}

export interface CompleteUntilOptions extends QueueAddress {
  timeoutMs: number;
  queueReplicas: number;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

/** Jobs of a lane that one look reads: 3 ms of Redis' time at most. */
const UNFINISHED_AT_MOST = 2_000;

/**
 * The lane's time T is read and its mark raised to it; then one atomic look takes every job that is not done. The lane is
 * complete until just before the oldest of them was made, or until T when there is none.
 *
 * Why that is true: a scan whose ack said A was confirmed before A, for that time was read afterwards and rounded up. When A
 * is T or less, the add came before the look, which has seen the job, whose own stamp is A or less; or else the job was
 * done, and jobs are done after their COMMIT. Jobs that go back keep their stamps, and a part that goes back does so
 * before its job is done. Looking at list after list would not do: a job that moves between two of them can be in neither.
 *
 * What was found stays true for ever, however late it is told: no later ack says T or less, for the mark is raised first, and the
 * lane's time never falls behind it.
 *
 * The path of it: stamp and ack are made in `producer.ts`, the ack's time asked for behind the add (`redis.ts`), the mark kept in
 * `lane-time.ts`; `workers/as-of-keeper.ts` looks and tells each node, where it stands in a row (`src/shards/as-of.ts`) that is read in
 * one snapshot with the rides (`src/shards/read-at.ts`).
 */
export function openCompleteUntil(o: CompleteUntilOptions): CompleteUntil {
  const link = openLink({ ...o, connections: 2, replicas: o.queueReplicas });
  o.lifecycle.onStop('lane completeness', () => link.close());
  return {
    read(lane) {
      const late = () => new Error(`lane ${lane} does not tell in ${o.timeoutMs} ms what it holds`);
      return withDeadline(look(link, o, lane), o.timeoutMs, late);
    },
  };
}

async function look(link: QueueLink, o: CompleteUntilOptions, lane: number): Promise<number | undefined> {
  await link.ready(lane);
  const seen = await (link.kind === 'redis' ? lookOnRedis(link, o, lane) : lookOnPostgres(link, lane));
  if (seen.unfinished > UNFINISHED_AT_MOST) return undefined;
  return seen.oldest === null ? seen.time : Math.min(seen.time, seen.oldest - 1);
}

interface Seen {
  /** the lane's time before the look */
  time: number;
  /** jobs that are not done; beyond {@link UNFINISHED_AT_MOST} they were not looked at */
  unfinished: number;
  /** the earliest stamp of them */
  oldest: number | null;
}

const LISTS = ['wait', 'paused', 'active'];
const SETS = ['prioritized', 'delayed', 'failed', 'waiting-children'];

/** KEYS: the mark, the lists, the sets. ARGV: the prefix of jobs, how many to look at, how many of the keys are lists. */
const LOOK = `${REDIS_RAISE_MARK}
  local most, lists = tonumber(ARGV[2]), tonumber(ARGV[3])
  local unfinished = 0
  for i = 2, #KEYS do
    unfinished = unfinished + redis.call(i <= lists + 1 and 'LLEN' or 'ZCARD', KEYS[i])
  end
  local oldest = ''
  if unfinished <= most then
    local least
    for i = 2, #KEYS do
      for _, id in ipairs(redis.call(i <= lists + 1 and 'LRANGE' or 'ZRANGE', KEYS[i], 0, -1)) do
        local at = tonumber(redis.call('HGET', ARGV[1] .. id, 'timestamp'))
        if at and (not least or at < least) then least = at end
      end
    end
    if least then oldest = string.format('%.0f', least) end
  end
  return { string.format('%.0f', now), unfinished, oldest }`;

async function lookOnRedis(link: RedisLink, o: CompleteUntilOptions, lane: number): Promise<Seen> {
  const base = `${lanePrefix(o.queuePrefix, lane)}:${laneQueueName(lane)}:`;
  const keys = [link.clockKey(lane), ...[...LISTS, ...SETS].map((name) => base + name)];
  // a write: after a failover the mark must be there too
  const reply = await link.write(lane, o.timeoutMs, () =>
    link.redis(lane).eval(LOOK, keys.length, ...keys, base, UNFINISHED_AT_MOST, LISTS.length),
  );
  const [time, unfinished, oldest] = reply as [string, number, string];
  return { time: Number(time), unfinished, oldest: oldest === '' ? null : Number(oldest) };
}

const states = ['waiting', 'active', 'delayed', 'failed', 'waiting-children'];
const UNFINISHED = `
  SELECT count(*)::int AS unfinished, min(added_at_ms)::float8 AS oldest FROM (${states
    .map((state) => `(SELECT added_at_ms FROM job WHERE queue = $1 AND state = '${state}' LIMIT $2)`)
    .join(' UNION ALL ')}) AS jobs`;

/** The mark is committed before the statement that looks takes its snapshot. */
async function lookOnPostgres(link: PostgresLink, lane: number): Promise<Seen> {
  const raised = await link.pool.query<{ ms: number }>(POSTGRES_RAISE_MARK);
  const { rows } = await link.pool.query<Omit<Seen, 'time'>>(UNFINISHED, [laneQueueName(lane), UNFINISHED_AT_MOST + 1]);
  const [first, seen] = [raised.rows[0], rows[0]];
  if (!first || !seen) throw new Error('the queue has no clock: liftline init makes it');
  return { ...seen, time: first.ms };
}
