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
/**
 * Five recoveries take half a minute; with the settings of production they would take two. A worker must have room for every
 * job that waits meanwhile, or the one job would come back to hands that are full: so there are few, and many hands.
 */
const SETTINGS = { LOCK_MS: '3000', STALL_CHECK_MS: '1000', WORKER_CONCURRENCY: '256' };
const FEW_SCANS_PER_S = 100;
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
  stack: () => ({ workers: 1, separateServers: true, env: SETTINGS }),
  control: { none: 'how often a job may lose its worker is not a setting' },
  async inflict(context) {
    const { stack } = context;
    const [node, worker] = [stack.nodes.at(-1), stack.workers[0]];
    if (!node || !worker) throw new Error('no node or no worker');
    const placement = await readPlacement(stack.directoryUrl);
    const lane = laneOf(placement.indexOf(node.name), stack.laneCount);
    context.setRate(FEW_SCANS_PER_S);
    node.server.signal('SIGSTOP');
    context.mark(`SIGSTOP node ${node.name}`);
    await withLane(stack, lane, async (jobs) => {
      const jobId = await killAgainAndAgain(context, worker, jobs);
      node.server.signal('SIGCONT');
      context.mark(`SIGCONT node ${node.name}`);
      await until(`job ${jobId} is done`, async () => ((await jobs.isThere(jobId)) ? undefined : true), {
        timeoutMs: BACK_MS,
      });
    });
    context.setRate();
  },
};

/** @returns the id of the job that died so often */
async function killAgainAndAgain(context: FaultContext, worker: ManagedProcess, jobs: LaneJobs): Promise<string> {
  const inTime = { timeoutMs: BACK_MS };
  await context.wait(HELD_MS); // what is in hand now had not been stored when the node stopped
  const jobId = await until('a job is in hand', () => jobs.oldestInHand(), inTime);
  for (let deaths = 0; deaths < DEATHS; ) {
    context.mark(`kill -9 ${worker.name} with job ${jobId}, deaths so far: ${deaths}`);
    await killAndRestart(worker, 0);
    const isBack = async () => ((await jobs.deaths(jobId)) > deaths && (await jobs.isInHand(jobId))) || undefined;
    await until(`job ${jobId} is in hand again after ${deaths} deaths`, isBack, inTime);
    deaths = await jobs.deaths(jobId); // a worker that gets no CPU loses a lock without being killed: that counts as well
  }
  return jobId;
}

interface LaneJobs {
  oldestInHand(): Promise<string | undefined>;
  /** whether a worker holds it now; of a killed one that is so until its lock ends */
  isInHand(jobId: string): Promise<boolean>;
  /** how often it came back since its worker was silent */
  deaths(jobId: string): Promise<number>;
  isThere(jobId: string): Promise<boolean>;
}

/** Looks into BullMQ's own keys. */
async function withLane(stack: Stack, lane: number, work: (jobs: LaneJobs) => Promise<void>): Promise<void> {
  const base = `${lanePrefix(stack.queuePrefix, lane)}:${laneQueueName(lane)}:`;
  const redis = new Redis(stack.queueUrl, { maxRetriesPerRequest: 1 });
  redis.on('error', () => {}); // the command that fails says so
  try {
    await work({
      oldestInHand: async () => (await redis.lrange(`${base}active`, -1, -1))[0],
      isInHand: async (jobId) => (await redis.exists(`${base}${jobId}:lock`)) === 1,
      deaths: async (jobId) => Number((await redis.hget(base + jobId, 'stc')) ?? 0),
      isThere: async (jobId) => (await redis.exists(base + jobId)) === 1,
    });
  } finally {
    redis.disconnect();
  }
}
