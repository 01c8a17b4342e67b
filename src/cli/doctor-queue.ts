import type { Config } from '../platform/config.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { memoryPercents } from '../queue/admission-memory.ts';
import { openLink, type QueueLink } from '../queue/backend.ts';
import { type LaneBacklog, oldestAgeMs } from '../queue/backlog.ts';
import type { BacklogReader } from '../queue/backlog-reader.ts';
import { measureSkew } from '../queue/clock-skew.ts';
import { checkDurability, type DurabilityReport } from '../queue/durability.ts';
import { queueKind } from '../queue/lanes.ts';
import { judgeClock, judgeServer, onDatabase, readServerFacts } from './doctor-database.ts';
import { attempt, type Finding, fail, ok, warn } from './doctor-finding.ts';
import { checkDisk } from './doctor-local.ts';
import type { FoundQueue } from './operator.ts';

const TIMEOUT_MS = 5_000;
const FIX_AWAY = 'start the queue’s server, or set QUEUE_URL; edges and workers recover by themselves';

export interface QueueQuestion {
  address: FoundQueue;
  backlog: BacklogReader;
  config: Pick<Config, 'lockMs' | 'admitMemoryPercent'>;
  laneCount: number;
  logger: Logger;
  lifecycle: Lifecycle;
}

/** Whether the queue answers, keeps what it confirms, has room, and is being emptied. */
export async function checkQueue(o: QueueQuestion): Promise<Finding[]> {
  const backlog = await attempt('queue', FIX_AWAY, async () => judgeBacklog(await o.backlog.read()));
  if (backlog.some(({ check, status }) => check === 'queue' && status === 'fail')) return backlog;
  const { queueUrl, queueDurability, queueReplicas: replicas } = o.address;
  const durability = () => checkDurability(queueUrl, queueDurability, { replicas });
  const parts = await Promise.all([
    attempt('durability', FIX_AWAY, async () => judgeDurability(await durability())),
    attempt('queue’s server', FIX_AWAY, () => (queueKind(queueUrl) === 'redis' ? askRedis(o) : askPostgres(o))),
  ]);
  return [...backlog, ...parts.flat()];
}

/** A lane this far behind is not only busy. */
const OLD_S = 60;

export function judgeBacklog(lanes: readonly LaneBacklog[]): Finding[] {
  const sum = (of: (lane: LaneBacklog) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
  const failed = sum(({ failedJobs }) => failedJobs);
  const late = lanes.filter((lane) => (oldestAgeMs(lane) ?? 0) > OLD_S * 1000);
  return [
    ok('queue', `answers; ${sum(({ scans }) => scans)} scans in ${lanes.length} lanes`),
    failed === 0
      ? ok('failed jobs', 'none')
      : warn('failed jobs', `${failed} wait to be put back`, 'liftline queue failed tells why; workers put them back'),
    late.length === 0
      ? ok('backlog', `nothing older than ${OLD_S} s`)
      : warn(
          'backlog',
          `scans older than ${OLD_S} s in lane ${late.map(({ lane }) => lane).join(', ')}`,
          'see that workers of these lanes run and that their nodes take writes; else start more workers',
        ),
  ];
}

export function judgeDurability({ problems, warnings }: DurabilityReport): Finding[] {
  return [
    ...problems.map((problem) => fail('durability', problem, 'change it on the queue’s server: edges refuse to start')),
    ...warnings.map((warning) =>
      warn(
        'durability',
        warning,
        'nothing refuses to start for it; under Operating in the README stands what it costs',
      ),
    ),
    ...(problems.length + warnings.length === 0 ? [ok('durability', 'what is confirmed survives a power cut')] : []),
  ];
}

/** An edge has two adds in flight a lane and asks for the time; a worker has less. */
async function askPostgres({
  address: { queueUrl },
  laneCount,
  config: { lockMs },
}: QueueQuestion): Promise<Finding[]> {
  const facts = await onDatabase(queueUrl, readServerFacts);
  return judgeServer(queueUrl, facts, { pool: 2 * laneCount + 1, lockMs });
}

async function askRedis(o: QueueQuestion): Promise<Finding[]> {
  const link = openLink({ ...o.address, timeoutMs: TIMEOUT_MS, connections: 1, logger: o.logger });
  o.lifecycle.onStop('doctor’s link', () => link.close());
  await link.ready();
  await link.serverTimeMs(); // the connection is warm now
  const clock = judgeClock('clock of the queue', await measureSkew(() => link.serverTimeMs()));
  const lanes = Array.from({ length: o.laneCount }, (_, lane) => lane);
  return [
    clock,
    judgeMemory(await memoryPercents(link, lanes), o.config.admitMemoryPercent),
    ...(await checkRedisDisk(link)),
  ];
}

async function checkRedisDisk(link: QueueLink): Promise<Finding[]> {
  if (link.kind !== 'redis') return [];
  const redis = link.redis(0);
  const isHere = ['127.0.0.1', 'localhost', '::1'].includes(redis.options.host ?? '');
  const answer: unknown = await redis.config('GET', 'dir').catch(() => undefined); // a managed server hides it
  const folder: unknown = Array.isArray(answer) ? answer[1] : undefined;
  return isHere && typeof folder === 'string' ? checkDisk('disk of the queue', folder) : [];
}

/** Of what is too full, so much is worth a warning. */
const WARN_PART = 0.7;

/**
 * @param percents of `maxmemory`, by lane; undefined where there is no limit
 * @param refusedFrom where edges stop accepting; where they never do (0), a full Redis lets no worker finish a job either
 */
export function judgeMemory(percents: readonly (number | undefined)[], refusedFrom: number): Finding {
  const check = 'memory of the queue';
  const known = percents.filter((percent) => percent !== undefined);
  if (known.length === 0) return warn(check, 'has no limit', 'set maxmemory below what the machine has');
  const most = Math.max(...known);
  const detail = `${Math.round(most)} % of maxmemory used`;
  const fix = 'start more workers, or raise maxmemory: edges refuse scans when it is nearly full';
  const tooFull = refusedFrom || 100;
  if (most >= tooFull) return fail(check, detail, fix);
  return most >= tooFull * WARN_PART ? warn(check, detail, fix) : ok(check, detail);
}
