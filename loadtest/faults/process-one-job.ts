import { Redis } from 'ioredis';
import { laneOf } from '../../src/domain/shard.ts';
import { lanePrefix, laneQueueName } from '../../src/queue/lanes.ts';
import { until } from '../client/until.ts';
import type { Stack } from '../stack.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import { readPlacement } from './checker-rows.ts';
import type { Fault, FaultContext } from './fault.ts';
import { needsRedis } from './needs.ts';
import { killAndRestart } from './process-actions.ts';

const DEATHS = 5;
/** Five recoveries take half a minute; with the settings of production they would take two. */
const QUICK_RECOVERY = { LOCK_MS: '3000', STALL_CHECK_MS: '1000' };
const BACK_MS = 30_000;
const HELD_MS = 2_000;

/**
 * A job is in hand as long as its node is away, so with a stopped node one knows which job will be in hand when its
 * worker is killed: the same one, again and again. BullMQ's own limit would fail it at the second death.
 */
export const oneJob: Fault = {
  name: 'one-job',
  summary: `the worker of one and the same job killed ${DEATHS} times`,
  canRun: needsRedis,
  isSeamless: true,
  stack: () => ({ workers: 1, separateServers: true, env: QUICK_RECOVERY }),
  control: { none: 'how often a job may lose its worker is not a setting' },
  async inflict(context) {
    const { stack } = context;
    const [node, worker] = [stack.nodes.at(-1), stack.workers[0]];
    if (!node || !worker) throw new Error('no node or no worker');
    const placement = await readPlacement(stack.directoryUrl);
    const lane = laneOf(placement.indexOf(node.name), stack.laneCount);
    node.server.signal('SIGSTOP');
    context.mark(`SIGSTOP node ${node.name}`);
    await withLane(stack, lane, async (jobs) => {
      const jobId = await killAgainAndAgain(context, worker, jobs);
      node.server.signal('SIGCONT');
      context.mark(`SIGCONT node ${node.name}`);
      await until(`job ${jobId} is done`, async () => ((await jobs.isThere(jobId)) || undefined ? undefined : true), {
        timeoutMs: BACK_MS,
      });
    });
  },
};

/** @returns the id of the job that died so often */
async function killAgainAndAgain(context: FaultContext, worker: ManagedProcess, jobs: LaneJobs): Promise<string> {
  const inTime = { timeoutMs: BACK_MS };
  await context.wait(HELD_MS); // what is in hand now had not been stored when the node stopped
  const jobId = await until('a job is in hand', () => jobs.oldestInHand(), inTime);
  let deaths = 0;
  for (let kills = 1; kills <= DEATHS; kills += 1) {
    context.mark(`kill -9 ${worker.name}, no. ${kills} with job ${jobId}`);
    await killAndRestart(worker, 0);
    // a worker that gets no CPU loses a lock without being killed: that may count as well
    const more = async () => {
      const now = await jobs.deathsInHand(jobId);
      return now !== undefined && now > deaths ? now : undefined;
    };
    deaths = await until(`job ${jobId} is in hand again after kill ${kills}`, more, inTime);
  }
  return jobId;
}

interface LaneJobs {
  oldestInHand(): Promise<string | undefined>;
  /** how often the job lost its worker, when it is in hand now */
  deathsInHand(jobId: string): Promise<number | undefined>;
  isThere(jobId: string): Promise<boolean>;
}

/** Looks into BullMQ's own keys. */
async function withLane(stack: Stack, lane: number, work: (jobs: LaneJobs) => Promise<void>): Promise<void> {
  const base = `${lanePrefix(stack.queuePrefix, lane)}:${laneQueueName(lane)}:`;
  const redis = new Redis(stack.queueUrl, { maxRetriesPerRequest: 1 });
  redis.on('error', () => {}); // the command that fails says so
  const inHand = () => redis.lrange(`${base}active`, 0, -1);
  try {
    await work({
      oldestInHand: async () => (await inHand()).at(-1),
      async deathsInHand(jobId) {
        return (await inHand()).includes(jobId) ? Number((await redis.hget(base + jobId, 'stc')) ?? 0) : undefined;
      },
      isThere: async (jobId) => (await redis.exists(base + jobId)) === 1,
    });
  } finally {
    redis.disconnect();
  }
}
