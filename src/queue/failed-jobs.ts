import { Problem } from '../domain/problem.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { type LaneQueue, openLink } from './backend.ts';
import { withDeadline } from './deadline.ts';
import type { QueueAddress } from './lanes.ts';

/** A job whose handler threw, or that lost its worker too often; it rests until a sweeper puts it back. */
export interface FailedJob {
  lane: number;
  jobId: string;
  scans: number;
  /** of the last failure, one line */
  reason: string;
  /** milliseconds since it failed; the worker's clock stamped it, the queue's reads it */
  failedForMs: number;
  /** milliseconds since its scans were acked, on the queue's clock */
  ageMs: number;
}

export interface FailedJobs {
  /**
   * @param limit jobs of each lane at most, those that failed last
   * @throws Problem queue_unavailable within the timeout
   */
  list(lanes: readonly number[], limit: number): Promise<FailedJob[]>;
}

/** Opens a reader with a connection of its own; returns at once, whether the server is there or not. */
export function openFailedJobs(
  o: QueueAddress & { timeoutMs: number; logger: Logger; lifecycle: Lifecycle },
): FailedJobs {
  const link = openLink({ ...o, connections: 1 });
  o.lifecycle.onStop('failed jobs reader', () => link.close());
  const look = async (lanes: readonly number[], limit: number) => {
    const found: FailedJob[] = [];
    for (const lane of lanes) {
      await link.ready(lane);
      found.push(...(await failedOf(link.queue(lane), lane, limit, await link.serverTimeMs(lane))));
    }
    return found;
  };
  return {
    async list(lanes, limit) {
      try {
        return await withDeadline(look(lanes, limit), o.timeoutMs, () => new Error(`no reply in ${o.timeoutMs} ms`));
      } catch (error) {
        throw new Problem('queue_unavailable', 'The queue does not tell its failed jobs.', { cause: error });
      }
    },
  };
}

async function failedOf(queue: LaneQueue, lane: number, limit: number, now: number): Promise<FailedJob[]> {
  const jobs = await queue.getFailed(0, limit - 1);
  return jobs.map((job) => ({
    lane,
    jobId: job.id ?? '?',
    scans: Number(job.name) || 0,
    reason: (job.failedReason ?? '').replaceAll(/\s+/g, ' '),
    failedForMs: Math.max(0, Math.round(now - (job.finishedOn ?? now))),
    ageMs: Math.max(0, Math.round(now - job.timestamp)),
  }));
}
