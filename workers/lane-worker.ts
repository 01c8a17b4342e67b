import type { DirectoryFollower } from '../src/directory/follower.ts';
import type { DirectorySnapshot } from '../src/directory/snapshot.ts';
import type { Batch } from '../src/domain/batch.ts';
import { deriveEventId, isUuid, type Scan } from '../src/domain/scan.ts';
import type { Logger } from '../src/platform/logger.ts';
import { decodeBatch, NewerBatch, UnreadableBatch } from '../src/queue/codec.ts';
import type { LaneJob } from '../src/queue/consumer.ts';
import { type BatchPart, splitByNode } from '../src/shards/batch-part.ts';
import type { WriteNodes } from '../src/shards/write-nodes.ts';
import { storeParts } from '../src/shards/writer.ts';
import { BackOff } from './back-off.ts';
import type { WorkerMetrics } from './metrics.ts';
import { NodeWriter } from './node-writer.ts';

export interface LaneWorkerOptions {
  lane: number;
  directory: Pick<DirectoryFollower, 'snapshot' | 'reload' | 'onChange'>;
  nodes: WriteNodes;
  /** puts a part of a job back into the lane as a job of its own */
  requeue: (lane: number, scans: Scan[], parent: Pick<Batch, 'batchId' | 'acceptedAt'>) => Promise<unknown>;
  maxRowsPerWrite: number;
  /** writes of this lane under way at once on one node */
  writesInFlight: number;
  /** as `NodeWriterOptions` say */
  paceMs: number;
  jobsAtOnce: number;
  /** the queue server's clock, or undefined while it is not known */
  queueNowMs: () => number | undefined;
  metrics: WorkerMetrics;
  logger: Logger;
}

/**
 * Stores the jobs of one lane: each promise resolves after the COMMIT on every node that its scans live on. It is held while
 * a node is away, for as long as that takes; only the job's signal ends it earlier.
 */
export class LaneWorker {
  readonly #o: LaneWorkerOptions;
  readonly #writers = new Map<number, NodeWriter>();

  constructor(o: LaneWorkerOptions) {
    this.#o = o;
    o.directory.onChange(() => {
      for (const writer of this.#writers.values()) writer.release();
    });
  }

  async handle(job: LaneJob): Promise<void> {
    const backOff = new BackOff();
    const counted: Counted = { on: undefined };
    for (;;) {
      const map = this.#o.directory.snapshot();
      if (await this.#attempt(job, map, counted)) return;
      if (!(await this.#hasNewMap(map))) await backOff.wait(job.signal);
    }
  }

  /** @returns false when it has to be tried again, by the map as it is then */
  async #attempt(job: LaneJob, map: DirectorySnapshot, counted: Counted): Promise<boolean> {
    const batch = readJob(this.#o.lane, job);
    if ('unreadable' in batch) {
      const nodeId = map.nodeOfShard[this.#o.lane]; // the lane's first shard has its number
      return (await this.#writer(nodeId).submit(batch, { canWait: true, signal: job.signal })) === 'stored';
    }
    const parts = [...splitByNode(batch, job.jobId, map)];
    const [only] = parts;
    if (only && parts.length === 1) {
      const [nodeId, part] = only;
      part.jobs = jobsCountedBy(counted, nodeId);
      return (await this.#writer(nodeId).submit(part, { canWait: true, signal: job.signal })) === 'stored';
    }
    return this.#storeMixed(batch, parts, { job, counted });
  }

  /**
   * One node after the other, so that exactly one ledger row stands for the job. A node that is away must not hold what
   * another could store, nor the jobs behind: its part goes back as a new job once the rest is stored. Killed in between,
   * that part is there twice, and the key stores it once.
   */
  async #storeMixed(
    batch: Batch,
    parts: [number, BatchPart][],
    { job, counted }: { job: LaneJob; counted: Counted },
  ): Promise<boolean> {
    const left: BatchPart[] = [];
    for (const [nodeId, part] of parts) {
      part.jobs = jobsCountedBy(counted, nodeId);
      const fate = await this.#writer(nodeId).submit(part, { canWait: false, signal: job.signal });
      if (fate === 'moved') return false;
      if (fate === 'stored') counted.on ??= nodeId;
      else left.push(part);
    }
    if (left.length === parts.length) return false;
    try {
      for (const { scans } of left) await this.#o.requeue(this.#o.lane, scans, batch);
    } catch (error) {
      this.#o.logger.warn(
        { err: error, lane: this.#o.lane, jobId: job.jobId },
        'a part could not go back to the queue',
      );
      return false;
    }
    return true;
  }

  #writer(nodeId: number | undefined): NodeWriter {
    const { lane, directory, nodes, metrics, logger, maxRowsPerWrite: maxRows } = this.#o;
    const address = () => {
      const found = directory.snapshot().nodes.get(nodeId ?? -1);
      if (!found) throw new Error(`the directory does not know node ${nodeId}`);
      return found;
    };
    const { nodeId: id, name: node } = address();
    let writer = this.#writers.get(id);
    if (!writer) {
      const store = (parts: BatchPart[]) => storeParts(nodes.of(address()), lane, parts);
      const onStored = (part: BatchPart) => this.#noteFreshness(part);
      const { writesInFlight, paceMs, jobsAtOnce } = this.#o;
      const pacing = { maxRows, writesInFlight, paceMs, jobsAtOnce };
      writer = new NodeWriter({ lane, node, store, ...pacing, onStored, metrics, logger });
      this.#writers.set(id, writer);
    }
    return writer;
  }

  #noteFreshness(part: BatchPart): void {
    const now = this.#o.queueNowMs();
    if (now !== undefined) this.#o.metrics.fresh((now - part.acceptedAt) / 1000);
  }

  /** Reads the map again unless it has changed already. */
  async #hasNewMap(known: DirectorySnapshot): Promise<boolean> {
    const { directory, lane, logger } = this.#o;
    if (directory.snapshot().version !== known.version) return true;
    try {
      return (await directory.reload()).version !== known.version;
    } catch (error) {
      logger.debug({ err: error, lane }, 'the map can not be read now');
      return false;
    }
  }
}

/** The node whose ledger counts a job, which other attempts may take to other nodes; undefined before one has stored a part. */
interface Counted {
  on: number | undefined;
}

function jobsCountedBy({ on }: Counted, nodeId: number): 0 | 1 {
  return on === undefined || on === nodeId ? 1 : 0;
}

/**
 * @returns the batch, or for data that can't be read the part that becomes a dead letter
 * @throws NewerBatch: the job fails, and is put back by the sweeper again and again until a newer worker takes it. To hold
 *   it here would keep it from that one, and its place from jobs that can be stored
 */
function readJob(lane: number, job: LaneJob): Batch | (BatchPart & { unreadable: object }) {
  try {
    return decodeBatch(job.data);
  } catch (error) {
    if (!(error instanceof UnreadableBatch) || error instanceof NewerBatch) throw error;
    const claims = claimsOf(job.data);
    const batchId = isUuid(claims.batchId) ? claims.batchId : deriveEventId('unreadable job', lane, job.jobId);
    const unreadable = { reason: error.message, payload: job.data, scans: claims.scans };
    const { acceptedAt } = claims;
    return { batchId, jobId: job.jobId, acceptedAt, jobs: 1, scans: [], shards: [], unreadable };
  }
}

const MAX_CLAIMED_SCANS = 100_000;
const MAX_CLAIMED_MS = Date.UTC(9999, 0);

/** What unreadable data says of itself, as far as it makes sense; the ledger counts its scans as dead. */
function claimsOf(data: unknown): { batchId: string; acceptedAt: number; scans: number } {
  const fields: Record<string, unknown> = typeof data === 'object' && data !== null ? { ...data } : {};
  return {
    batchId: typeof fields.batchId === 'string' ? fields.batchId : '',
    acceptedAt: within(fields.acceptedAt, MAX_CLAIMED_MS, Date.now()),
    scans: within(fields.n, MAX_CLAIMED_SCANS, 1),
  };
}

function within(value: unknown, max: number, otherwise: number): number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max ? Number(value) : otherwise;
}
