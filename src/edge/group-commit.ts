import { MAX_SCANS_PER_BATCH } from '../domain/batch.ts';
import { Problem } from '../domain/problem.ts';
import type { Scan } from '../domain/scan.ts';
import type { EdgeMetrics } from './metrics.ts';

/** What the queue said when it took a job. */
export interface Confirmation {
  batchId: string;
  /** milliseconds since the epoch on the queue server's clock, before the add: the job's own stamp */
  acceptedAt: number;
  /** the same clock after the add: what the ack says */
  confirmedAt: number;
}

/** Adds one job to a lane; resolves when the queue's server has confirmed it, and settles within a deadline of its own. */
export type Enqueue = (lane: number, scans: Scan[]) => Promise<Confirmation>;

/** A caller's answer, given exactly once: the confirmation of the job that holds its scans, or why there is none. It must not throw. */
export type Settle = (outcome: Confirmation | Problem) => void;

export interface GroupCommitOptions {
  enqueue: Enqueue;
  /** how many scans may wait for the queue at once, over all lanes; from 1 */
  maxPendingScans: number;
  /** scans that waited longer than this for their turn are refused instead of sent, milliseconds */
  maxWaitMs: number;
  /** why a lane takes nothing now, known without asking; lanes always do unless given */
  refusalOf?: (lane: number) => Problem | undefined;
  metrics: EdgeMetrics;
}

/** Adds that may be in flight for a lane: beside a first one a second, so that under load the queue is never idle. */
const MAX_IN_FLIGHT = 2;
/** The second starts for this many scans only: a job costs as much CPU as some thirty scans, so small ones wait and grow. */
const WORTH_A_SECOND_ADD = 50;

/** Scans that will travel together. */
interface Group {
  scans: Scan[];
  waiting: Settle[];
  /** when its first scan came, on the monotonic clock in milliseconds */
  since: number;
}

interface Lane {
  number: number;
  /** in the order in which they came; the last one may still grow */
  groups: Group[];
  inFlight: number;
}

/**
 * Lets scans that arrive together share a job, so that a burst pays for few confirmations (each is an fsync of the queue's
 * server, and a job costs as much CPU as dozens of scans).
 *
 * There is no timer: what arrives is sent at the end of the same turn of the event loop, unless an add is in flight for its
 * lane; then it leaves when that returns, or beside it once enough has gathered. So a lone scan leaves at once, and the
 * busier the queue, the larger the jobs. What waits is bounded: over the bound callers are refused at once, until half of it is free.
 */
export class GroupCommit {
  readonly #enqueue: Enqueue;
  readonly #maxPendingScans: number;
  readonly #maxWaitMs: number;
  readonly #refusalOf: ((lane: number) => Problem | undefined) | undefined;
  readonly #metrics: EdgeMetrics;
  readonly #lanes: Lane[] = [];
  #pendingScans = 0;
  #isFull = false;
  #isFlushScheduled = false;
  #whenIdle: (() => void)[] = [];

  constructor(o: GroupCommitOptions) {
    this.#enqueue = o.enqueue;
    this.#maxPendingScans = o.maxPendingScans;
    this.#maxWaitMs = o.maxWaitMs;
    this.#refusalOf = o.refusalOf;
    this.#metrics = o.metrics;
    o.metrics.watchPending(() => this.#pendingScans, o.maxPendingScans);
  }

  /** Scans that were taken and have no answer yet. */
  get pendingScans(): number {
    return this.#pendingScans;
  }

  /** Takes one scan; see {@link addTogether}. */
  add(lane: number, scan: Scan, settle: Settle): void {
    if (!this.#admit(lane, 1, settle)) return;
    const group = this.#groupFor(lane, 1);
    group.scans.push(scan);
    group.waiting.push(settle);
  }

  /**
   * Takes scans that share one fate: they travel in one job.
   *
   * @param scans 1 to 500, all of this lane
   * @param settle is called at once with `overloaded` when there is no room here or in the lane; later with the
   *   confirmation, or with the problem of the job that carried them (`queue_unavailable`, say)
   */
  addTogether(lane: number, scans: readonly Scan[], settle: Settle): void {
    if (scans.length > MAX_SCANS_PER_BATCH) throw new RangeError(`a job holds at most ${MAX_SCANS_PER_BATCH} scans`);
    if (!this.#admit(lane, scans.length, settle)) return;
    const group = this.#groupFor(lane, scans.length);
    group.scans.push(...scans);
    group.waiting.push(settle);
  }

  /** Resolves when nothing waits any more. Whoever calls it has stopped the intake before. */
  async flush(): Promise<void> {
    if (this.#pendingScans === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #admit(lane: number, count: number, settle: Settle): boolean {
    const refusal = this.#refusalOf?.(lane);
    if (refusal) {
      settle(refusal);
      return false;
    }
    if (this.#pendingScans <= this.#maxPendingScans / 2) this.#isFull = false;
    if (this.#pendingScans + count > this.#maxPendingScans) this.#isFull = true;
    if (this.#isFull) {
      settle(new Problem('overloaded', 'too many scans wait for the queue here; send it again a little later'));
      return false;
    }
    this.#pendingScans += count;
    return true;
  }

  #groupFor(number: number, count: number): Group {
    const lane = (this.#lanes[number] ??= { number, groups: [], inFlight: 0 });
    if (lane.inFlight < MAX_IN_FLIGHT) this.#flushSoon();
    const last = lane.groups.at(-1);
    if (last && last.scans.length + count <= MAX_SCANS_PER_BATCH) return last;
    const group: Group = { scans: [], waiting: [], since: performance.now() };
    lane.groups.push(group);
    return group;
  }

  /** At the end of this turn of the event loop, so that everything that this turn reads from the sockets travels together. */
  #flushSoon(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      for (const lane of this.#lanes) if (lane) this.#flushLane(lane);
    });
  }

  #flushLane(lane: Lane): void {
    for (let group = lane.groups[0]; group && mayLeave(group, lane); group = lane.groups[0]) {
      lane.groups.shift();
      if (performance.now() - group.since > this.#maxWaitMs) this.#settle(lane, group, heldUp());
      else void this.#send(lane, group);
    }
  }

  async #send(lane: Lane, group: Group): Promise<void> {
    lane.inFlight += 1;
    let outcome: Confirmation | Problem;
    try {
      outcome = await this.#enqueue(lane.number, group.scans);
    } catch (error) {
      outcome = error instanceof Problem ? error : unconfirmed(error);
    }
    lane.inFlight -= 1;
    if (lane.groups.length > 0) this.#flushSoon();
    this.#settle(lane, group, outcome);
  }

  #settle(lane: Lane, group: Group, outcome: Confirmation | Problem): void {
    const scans = group.scans.length;
    this.#pendingScans -= scans;
    if (outcome instanceof Problem) this.#metrics.unconfirmed({ lane: lane.number });
    else this.#metrics.confirmed({ lane: lane.number, scans, longestWaitMs: performance.now() - group.since });
    for (const settle of group.waiting) settle(outcome);
    if (this.#pendingScans > 0) return;
    const idle = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of idle) resolve();
  }
}

function mayLeave(group: Group, lane: Lane): boolean {
  return lane.inFlight === 0 || (lane.inFlight < MAX_IN_FLIGHT && group.scans.length >= WORTH_A_SECOND_ADD);
}

function unconfirmed(cause: unknown): Problem {
  return new Problem('queue_unavailable', 'the queue has not confirmed the scan; send it again', { cause });
}

function heldUp(): Problem {
  return new Problem('queue_unavailable', 'the queue takes too long; send it again');
}
