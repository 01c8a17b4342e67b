import { type Batch, MAX_SCANS_PER_BATCH } from '../domain/batch.ts';
import { Problem } from '../domain/problem.ts';
import type { Scan } from '../domain/scan.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openLink, type QueueLink } from './backend.ts';
import { newBatchId } from './batch-id.ts';
import { encodeBatch } from './codec.ts';
import { withDeadline } from './deadline.ts';
import type { QueueAddress } from './lanes.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
import { ServerWatch } from './server-watch.ts';

export interface Enqueued {
  batchId: string;
  /** milliseconds since the epoch on the queue server's clock, read before the add; the job's own timestamp too */
  acceptedAt: number;
  /**
   * The same clock after the add, rounded up: whoever is told that everything up to then is stored will find these scans. The
   * time before the add would not do, for somebody may look at the lane in between.
   */
  confirmedAt: number;
  jobId: string;
}

export interface ProducerOptions extends QueueAddress {
  laneCount: number;
  ackDeadlineMs: number;
  queueReplicas?: number;
  logger: Logger;
  lifecycle: Lifecycle;
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
  /**
   * Whether the last word from the server was a good one; in a cluster, from one of its servers at least. A lane whose own
   * server's was not is refused at once by `enqueue`.
   */
  isUp(): boolean;
}

/**
 * Opens the way into the lanes. Resolves after the first answer of the server, or its silence (twice `ackDeadlineMs` at most): a
 * process can start while the queue is away, and recovers by itself.
 *
 * @param o.ackDeadlineMs how long a confirmation may take, milliseconds
 * @param o.queueReplicas how many replicas of Redis must have a job before it counts as confirmed; none unless given
 */
export async function openProducer(o: ProducerOptions): Promise<LaneProducer> {
  const { queueReplicas: replicas = 0 } = o;
  // two adds in flight a lane (the group commit's limit) and one question for the time
  const link = openLink({
    ...o,
    replicas,
    timeoutMs: o.ackDeadlineMs,
    connections: 2 * o.laneCount + 1,
    tellsTime: true,
  });
  const lanes = watchLanes(link, o);
  const watches = [...new Set(lanes.map(({ watch }) => watch))];
  const inFlight = new Set<Promise<unknown>>();
  o.lifecycle.onStop('queue producer', async () => {
    await Promise.all(watches.map((watch) => watch.stop()));
    await Promise.allSettled(inFlight);
    await link.close();
  });
  await Promise.all(watches.map((watch) => watch.firstAnswer));

  return {
    isUp: () => watches.some((watch) => watch.isUp),
    async enqueue(lane, scans, parent) {
      if (scans.length < 1 || scans.length > MAX_SCANS_PER_BATCH)
        throw new RangeError(`${scans.length} scans in a job`);
      const { watch, clock } = lanes[lane] ?? noSuchLane(lane);
      if (!watch.isUp) throw unavailable();
      const batch: Batch = { batchId: newBatchId(), acceptedAt: parent?.acceptedAt ?? clock.nowMs(), scans };
      if (parent) batch.parentBatchId = parent.batchId;
      const adding = add(link, { lane, watch, deadlineMs: o.ackDeadlineMs }, batch);
      inFlight.add(adding);
      try {
        return await adding;
      } finally {
        inFlight.delete(adding);
      }
    },
  };
}

interface Destination {
  lane: number;
  watch: ServerWatch;
  deadlineMs: number;
}

async function add(link: QueueLink, { lane, watch, deadlineMs }: Destination, batch: Batch): Promise<Enqueued> {
  const { batchId, acceptedAt, scans } = batch;
  const adding = async () => {
    // the name carries the number of scans, the timestamp when they came: a backlog is counted without reading data
    const job = await link.write(lane, deadlineMs, () =>
      link.queue(lane).add(String(scans.length), encodeBatch(batch), { timestamp: acceptedAt }),
    );
    return { jobId: job.id as string, time: await link.timeAfterWrites(lane) };
  };
  try {
    const { jobId, time } = await withDeadline(adding(), deadlineMs, () => new Error(`no reply in ${deadlineMs} ms`));
    return { batchId, acceptedAt, confirmedAt: Math.max(acceptedAt, Math.floor(time) + 1), jobId };
  } catch (error) {
    watch.failed(error);
    throw unavailable(error);
  }
}

/**
 * One watch and one clock for all lanes, or in a cluster for each: a lane's stamps are compared with each other and with the
 * time at which its backlog is read, and all of these come from the server that has the lane. Between servers nothing is
 * compared to the millisecond.
 */
function watchLanes(link: QueueLink, o: ProducerOptions): { watch: ServerWatch; clock: ServerClock }[] {
  const all = Array.from({ length: o.laneCount }, (_, lane) => lane);
  const watched = (lanes: number[]) => {
    const clock = createServerClock({ readServerTimeMs: () => link.serverTimeMs(lanes[0]) });
    return { clock, watch: new ServerWatch(link, clock, { ...o, lanes }) };
  };
  if (!link.isShared) return all.map((lane) => watched([lane]));
  const shared = watched(all);
  return all.map(() => shared);
}

function noSuchLane(lane: number): never {
  throw new RangeError(`there is no lane ${lane}`);
}

function unavailable(cause?: unknown): Problem {
  return new Problem('queue_unavailable', 'The queue could not confirm in time. Send the same scans again.', { cause });
}
