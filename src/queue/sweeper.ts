import type { Job } from 'bullmq';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openLink, type QueueLink } from './backend.ts';
import { isVerdict } from './patience.ts';
import { lanePrefix, laneQueueName, type QueueAddress } from './lanes.ts';

/** Jobs that one sweep puts back in one lane. */
const BATCH = 100;
const TIMEOUT_MS = 5_000;

export interface Sweeper {
  /** Looks once, now. @returns how many jobs were put back; @throws Error when the queue is away */
  sweep(): Promise<number>;
}

/**
 * Puts failed jobs back into their lane, again and again: a job is failed when its handler threw, or when it lost its worker
 * too often, and neither is a reason to lose scans. It stays the same job, with its id and its `acceptedAt`: a copy would
 * be a moment in which there are two or none, and would be counted twice. Several sweepers at once are harmless.
 *
 * @param o.lanes the lanes to look at
 * @param o.everyMs how long a failed job rests at most
 */
export function startSweeper(
  o: QueueAddress & { lanes: readonly number[]; everyMs: number; logger: Logger; lifecycle: Lifecycle },
): Sweeper {
  const link = openLink({ ...o, timeoutMs: TIMEOUT_MS, connections: 1 });
  const sweep = async () => {
    const swept = await Promise.allSettled(o.lanes.map((lane) => sweepLane(link, o, lane)));
    // a lane whose server is away must not keep the others from being swept
    for (const lane of swept) if (lane.status === 'rejected') throw lane.reason;
    return swept.reduce((sum, lane) => sum + (lane.status === 'fulfilled' ? lane.value : 0), 0);
  };
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(sweep).catch((error: unknown) => o.logger.warn({ err: error }, 'failed jobs stay for now'));
  }, o.everyMs);
  o.lifecycle.onStop('queue sweeper', async () => {
    clearInterval(timer);
    await running;
    await link.close();
  });
  return { sweep };
}

async function sweepLane(link: QueueLink, o: QueueAddress & { logger: Logger }, lane: number): Promise<number> {
  await link.ready(lane);
  // the earliest failures first: those that fail again at once must not keep the others
  const failed = await link.queue(lane).getJobs(['failed'], 0, BATCH - 1, true);
  let swept = 0;
  for (const job of failed) {
    const jobId = job.id as string;
    await forgetStalls(link, o.queuePrefix, lane, jobId);
    if (!(await putBack(job))) continue;
    swept += 1;
    o.logger.warn({ lane, jobId, reason: job.failedReason }, 'put a failed job back');
  }
  return swept;
}

/** @returns false when somebody else was faster */
async function putBack(job: Job): Promise<boolean> {
  try {
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    return true;
  } catch (error) {
    if (isVerdict(error)) return false;
    throw error;
  }
}

/** `retry` keeps the count of stalls, and on Redis the verdict too: the job would fail again before anybody saw it. */
async function forgetStalls(link: QueueLink, queuePrefix: string, lane: number, jobId: string): Promise<void> {
  if (link.kind === 'redis') {
    await link.redis(lane).hdel(`${lanePrefix(queuePrefix, lane)}:${laneQueueName(lane)}:${jobId}`, 'stc', 'defa');
    return;
  }
  await link.pool.query(`UPDATE job SET stalled_count = 0, deferred_failure = NULL WHERE queue = $1 AND id = $2`, [
    laneQueueName(lane),
    jobId,
  ]);
}
