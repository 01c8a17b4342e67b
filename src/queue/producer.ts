import { v7 as uuidv7 } from 'uuid';
import { type Batch, MAX_SCANS_PER_BATCH } from '../domain/batch.ts';
import { Problem } from '../domain/problem.ts';
import type { Scan } from '../domain/scan.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openLink } from './backend.ts';
import { encodeBatch } from './codec.ts';
import { withDeadline } from './deadline.ts';
import type { QueueAddress } from './lanes.ts';
import { createServerClock } from './server-clock.ts';
import { ServerWatch } from './server-watch.ts';

export interface Enqueued {
  batchId: string;
  /** milliseconds since the epoch on the queue server's clock, read before the add; the job's own timestamp too */
  acceptedAt: number;
  jobId: string;
}

export interface LaneProducer {
  /**
   * Puts scans into a lane as one job, and resolves when the server has confirmed it.
   *
   * @param scans 1 to 500
   * @param parent the batch that these scans are a part of, when they go back: the job keeps its `acceptedAt`
   * @throws Problem queue_unavailable, never later than the deadline. The job may be in the queue all the same, when
   *   only its confirmation was lost
   */
  enqueue(lane: number, scans: Scan[], parent?: Pick<Batch, 'batchId' | 'acceptedAt'>): Promise<Enqueued>;
  /** Whether the last word from the server was a good one. While it is not, `enqueue` refuses at once. */
  isUp(): boolean;
}

/**
 * Opens the way into the lanes. Resolves after the first answer of the server, or its silence (twice `ackDeadlineMs` at most): a
 * process can start while the queue is away, and recovers by itself.
 *
 * @param o.ackDeadlineMs how long a confirmation may take, milliseconds
 */
export async function openProducer(
  o: QueueAddress & { laneCount: number; ackDeadlineMs: number; logger: Logger; lifecycle: Lifecycle },
): Promise<LaneProducer> {
  // two adds in flight a lane (the group commit's limit) and one question for the time
  const link = openLink({ ...o, timeoutMs: o.ackDeadlineMs, connections: 2 * o.laneCount + 1 });
  const clock = createServerClock({ readServerTimeMs: () => link.serverTimeMs() });
  const watch = new ServerWatch(link, clock, o);
  const inFlight = new Set<Promise<unknown>>();
  o.lifecycle.onStop('queue producer', async () => {
    await watch.stop();
    await Promise.allSettled(inFlight);
    await link.close();
  });
  await watch.firstAnswer;

  async function add(lane: number, batch: Batch): Promise<Enqueued> {
    const { batchId, acceptedAt, scans } = batch;
    // the name carries the number of scans, the timestamp when they came: a backlog is counted without reading data
    const adding = link.queue(lane).add(String(scans.length), encodeBatch(batch), { timestamp: acceptedAt });
    try {
      const job = await withDeadline(adding, o.ackDeadlineMs, () => new Error(`no reply in ${o.ackDeadlineMs} ms`));
      return { batchId, acceptedAt, jobId: job.id as string };
    } catch (error) {
      watch.failed(error);
      throw unavailable(error);
    }
  }

  return {
    isUp: () => watch.isUp,
    async enqueue(lane, scans, parent) {
      if (scans.length < 1 || scans.length > MAX_SCANS_PER_BATCH)
        throw new RangeError(`${scans.length} scans in a job`);
      if (!watch.isUp) throw unavailable();
      const batch: Batch = { batchId: uuidv7(), acceptedAt: parent?.acceptedAt ?? clock.nowMs(), scans };
      if (parent) batch.parentBatchId = parent.batchId;
      const adding = add(lane, batch);
      inFlight.add(adding);
      try {
        return await adding;
      } finally {
        inFlight.delete(adding);
      }
    },
  };
}

function unavailable(cause?: unknown): Problem {
  return new Problem('queue_unavailable', 'The queue could not confirm in time. Send the same scans again.', { cause });
}
