import { type Job, Worker, WaitingError } from 'bullmq';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openWorkerBackend } from './backend.ts';
import { withDeadline } from './deadline.ts';
import { lanePrefix, laneQueueName, type QueueAddress, queueKind } from './lanes.ts';

export interface LaneJob {
  /** the queue's own id */
  jobId: string;
  /** for `decodeBatch` */
  data: unknown;
  /** aborts when the job was given back to the queue: somebody else will do it */
  signal: AbortSignal;
}

export interface LaneConsumer {
  /** Begins to take jobs; while the queue is away it waits, for ever if need be. */
  start(): void;
  /**
   * Takes no more jobs, and waits for those in hand. Jobs that are still in hand shortly before the deadline go back to
   * the queue, where another worker finds them at once. A second call waits for the first.
   *
   * @param deadlineMs milliseconds for everything; it never takes longer
   */
  drain(deadlineMs: number): Promise<void>;
  /** When a job was last taken or done, or the lane was last found empty; milliseconds since the epoch, this machine's clock. */
  lastProgressAt(): number;
  /** Jobs that are being handled now. With none in hand and jobs waiting, `lastProgressAt` should be recent. */
  jobsInHand(): number;
}

export interface ConsumerOptions extends QueueAddress {
  lane: number;
  /** jobs handled at once */
  concurrency: number;
  /** a job whose worker has been silent for so long goes to another one */
  lockMs: number;
  /** how often silent workers are looked for; a killed worker's job comes back within lockMs + 2 * stallCheckMs */
  stallCheckMs: number;
  logger: Logger;
  lifecycle: Lifecycle;
  /** resolves after the COMMIT; a job whose handler throws is `failed`, until the sweeper puts it back */
  handle: (job: LaneJob) => Promise<void>;
}

/** How often a job may lose its worker before BullMQ calls it failed (the sweeper puts it back then). */
const MAX_STALLS = 10;
/** Of the drain's deadline, kept for giving jobs back and closing. */
const GIVE_BACK_MS = 1_500;

/** Opens one lane for work; nothing is taken before `start`. The lifecycle closes it, in 1.5 s, if nobody drained it before. */
export function openConsumer(o: ConsumerOptions): LaneConsumer {
  const backend = openWorkerBackend(o);
  const hand = new Hand(o);
  const worker = new Worker<unknown, void, string, ReturnType<typeof backend.factory>, object, string>(
    laneQueueName(o.lane),
    (job) => hand.process(job),
    {
      connection: queueKind(o.queueUrl),
      prefix: lanePrefix(o.queuePrefix, o.lane),
      autorun: false,
      concurrency: o.concurrency,
      lockDuration: o.lockMs,
      lockRenewTime: Math.floor(o.lockMs / 3),
      stalledInterval: o.stallCheckMs,
      maxStalledCount: MAX_STALLS,
      removeOnComplete: { count: 0 },
      runRetryDelay: 1_000,
      skipVersionCheck: true,
    },
    backend.factory,
  );
  worker.on('error', quietly(o.logger, o.lane));
  worker.on('stalled', (jobId) => o.logger.warn({ lane: o.lane, jobId }, 'a job had lost its worker and is back'));
  worker.on('failed', (job, error) => o.logger.error({ err: error, lane: o.lane, jobId: job?.id }, 'a job failed'));
  worker.on('drained', () => hand.progress());
  let draining: Promise<void> | undefined;
  const drain = (deadlineMs: number) => {
    draining ??= drainWorker(worker, backend, hand, deadlineMs);
    return draining;
  };
  o.lifecycle.onStop(`lane ${o.lane} consumer`, () => drain(GIVE_BACK_MS));
  return {
    start() {
      hand.progress();
      worker.run().catch((error: unknown) => o.logger.error({ err: error, lane: o.lane }, 'the lane stopped'));
    },
    drain,
    lastProgressAt: () => hand.progressAt,
    jobsInHand: () => hand.size,
  };
}

/** The jobs that this process is working on. */
class Hand {
  readonly #o: ConsumerOptions;
  readonly #jobs = new Set<Job<unknown, void>>();
  readonly #givenBack = new AbortController();
  #progressAt = Date.now();

  constructor(o: ConsumerOptions) {
    this.#o = o;
  }

  get size(): number {
    return this.#jobs.size;
  }

  get progressAt(): number {
    return this.#progressAt;
  }

  progress(): void {
    this.#progressAt = Date.now();
  }

  /**
   * What BullMQ does with a job is told by how this ends: done, when it resolves; failed, when it throws; nothing, when it throws
   * WaitingError: then the job is where `moveToWait` has put it. A write that is still under way by then may commit all the same:
   * the job runs again elsewhere, and finds itself in the ledger.
   */
  async process(job: Job<unknown, void>): Promise<void> {
    this.progress();
    const { signal } = this.#givenBack;
    if (signal.aborted) {
      await job.moveToWait(job.token);
      throw new WaitingError();
    }
    this.#jobs.add(job);
    try {
      await this.#o.handle({ jobId: job.id as string, data: job.data, signal });
      this.progress();
    } catch (error) {
      // it waits in the queue again: BullMQ must not call it failed
      if (this.#givenBack.signal.aborted) throw new WaitingError();
      throw error;
    } finally {
      this.#jobs.delete(job);
    }
  }

  /** Back to the queue, before the handlers are told: in this order nobody can take a job for failed. */
  async giveBack(): Promise<void> {
    await Promise.allSettled([...this.#jobs].map((job) => job.moveToWait(job.token)));
  }

  /** Tells the handlers. A job that could not be given back loses its lock soon, and goes to another worker. */
  letGo(): void {
    this.#givenBack.abort(new Error('given back to the queue'));
  }
}

interface Closable {
  close(): Promise<void>;
}

async function drainWorker(worker: Closable, backend: Closable, hand: Hand, deadlineMs: number): Promise<void> {
  const startedAt = performance.now();
  const leftMs = () => Math.max(0, deadlineMs - (performance.now() - startedAt));
  const closing = worker.close();
  const reserveMs = Math.min(GIVE_BACK_MS, deadlineMs / 2);
  if (!(await doneWithin(closing, deadlineMs - reserveMs))) {
    await doneWithin(hand.giveBack(), leftMs() / 2);
    hand.letGo();
    await doneWithin(closing, leftMs() / 2);
  }
  await doneWithin(backend.close(), leftMs());
}

async function doneWithin(work: Promise<void>, ms: number): Promise<boolean> {
  try {
    await withDeadline(work, ms, () => new Error('late'));
    return true;
  } catch {
    return false;
  }
}

/** BullMQ repeats an error at each of its attempts; once in ten seconds is enough. */
function quietly(logger: Logger, lane: number): (error: Error) => void {
  let last = '';
  let lastAt = -Infinity;
  return (error) => {
    // another worker has the job, or had it: it will be stored once all the same
    const repeated = error.message === last && performance.now() - lastAt < 10_000;
    if (repeated) return;
    last = error.message;
    lastAt = performance.now();
    logger.warn({ reason: error.message, lane }, 'the queue said no to a worker');
  };
}
