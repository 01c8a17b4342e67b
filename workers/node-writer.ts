import type { Logger } from '../src/platform/logger.ts';
import type { BatchPart, WriteOutcome } from '../src/shards/batch-part.ts';
import { classify, isExpected, type Verdict } from '../src/shards/sqlstates.ts';
import { BackOff } from './back-off.ts';
import type { WorkerMetrics } from './metrics.ts';

/** stored: it is committed. away: the node did not take it. moved: the map has changed, or must be read anew. */
export type Fate = 'stored' | 'away' | 'moved';

export interface NodeWriterOptions {
  lane: number;
  /** the node's name */
  node: string;
  /** one attempt, @throws as `storeParts` does */
  store: (parts: BatchPart[]) => Promise<WriteOutcome>;
  /** a write takes waiting parts up to so many scans, and at least one part */
  maxRows: number;
  /** writes under way at once */
  writesInFlight: number;
  /** milliseconds from the start of one write to that of the next, unless enough waits to make the next one worth it */
  paceMs: number;
  /** jobs of the lane that are taken at once: with so many here, waiting brings no more */
  jobsAtOnce: number;
  /** called for each part once it is committed */
  onStored: (part: BatchPart) => void;
  metrics: WorkerMetrics;
  logger: Logger;
}

interface Waiting {
  part: BatchPart;
  canWait: boolean;
  signal: AbortSignal;
  resolve: (fate: Fate) => void;
  reject: (reason: unknown) => void;
}

/** A node that stays away is mentioned this often. */
const REMIND_MS = 30_000;
/** So many scans do not wait for more: a larger write costs as much for each of them. */
const WORTH_A_WRITE = 400;

/**
 * What one lane writes to one node. The jobs that arrive while a write is under way, or soon after one began, share the next
 * one: after a quiet moment a job is written at once, and the more happens, the more a write holds. While the node is away
 * everything is held, and tried again with back-off, one part at a time until one is through.
 *
 * So it is in one of three states: well (`#isAway` false: up to `writesInFlight` writes, `paceMs` apart), away and resting (`#pause` set:
 * nothing is tried), away and trying (one write of one part, whose end leads to one of the other two). Parts that can't wait are
 * turned out whenever a try fails.
 */
export class NodeWriter {
  readonly #o: NodeWriterOptions;
  readonly #backOff = new BackOff();
  readonly #signals = new WeakSet<AbortSignal>();
  #waiting: Waiting[] = [];
  #writing = 0;
  /** the parts of the writes under way */
  #partsInWrites = 0;
  #nextStartAt = 0;
  #nextStart: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;
  #isAway = false;
  #remindedAt = Number.NEGATIVE_INFINITY;

  constructor(o: NodeWriterOptions) {
    this.#o = o;
  }

  /**
   * @param o.canWait whether the part is held while the node is away; else its fate is `away` after one attempt
   * @throws the signal's reason, when it aborts while the part still waits
   */
  submit(part: BatchPart, o: { canWait: boolean; signal: AbortSignal }): Promise<Fate> {
    if (o.signal.aborted) return Promise.reject(o.signal.reason as Error);
    // whoever can't wait may try when nobody else does: otherwise nobody would find out that the node is back
    if (!o.canWait && this.#isAway && (this.#pause !== undefined || this.#writing > 0)) return Promise.resolve('away');
    this.#watch(o.signal);
    const fate = new Promise<Fate>((resolve, reject) => this.#waiting.push({ part, ...o, resolve, reject }));
    this.#pump();
    return fate;
  }

  /** Sends everything that waits back to its sender: the map has changed, and this may be the wrong node now. */
  release(): void {
    const released = this.#waiting;
    this.#waiting = [];
    for (const { resolve } of released) resolve('moved');
  }

  /** All jobs of a consumer share one signal: it is listened to once. */
  #watch(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    signal.addEventListener('abort', () => {
      const gone = this.#waiting.filter((waiting) => waiting.signal === signal);
      this.#waiting = this.#waiting.filter((waiting) => waiting.signal !== signal);
      for (const { reject } of gone) reject(signal.reason);
    });
  }

  #pump(): void {
    const limit = this.#isAway ? 1 : this.#o.writesInFlight;
    while (this.#pause === undefined && this.#writing < limit && this.#waiting.length > 0) {
      const tooEarlyMs = this.#nextStartAt - performance.now();
      if (tooEarlyMs > 0 && !this.#isWorthAWrite()) return this.#pumpIn(tooEarlyMs);
      void this.#write(this.#take());
    }
  }

  #pumpIn(ms: number): void {
    if (this.#nextStart !== undefined) return;
    this.#nextStart = setTimeout(() => {
      this.#nextStart = undefined;
      this.#pump();
    }, ms);
  }

  /** Whether waiting longer would bring nothing. */
  #isWorthAWrite(): boolean {
    if (this.#isAway || this.#waiting.length + this.#partsInWrites >= this.#o.jobsAtOnce) return true;
    return this.#waiting.reduce((sum, { part }) => sum + part.scans.length, 0) >= WORTH_A_WRITE;
  }

  #take(): Waiting[] {
    if (this.#isAway) return this.#waiting.splice(0, 1);
    let rows = 0;
    let count = 0;
    for (const { part } of this.#waiting) {
      rows += part.scans.length;
      if (count > 0 && rows > this.#o.maxRows) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(taken: Waiting[]): Promise<void> {
    const startedAt = performance.now();
    const parts = taken.map(({ part }) => part);
    this.#writing += 1;
    this.#partsInWrites += parts.length;
    this.#nextStartAt = startedAt + this.#o.paceMs;
    try {
      const outcome = await this.#o.store(parts);
      this.#noteWrite(parts, outcome, (performance.now() - startedAt) / 1000);
      for (const { resolve } of taken) resolve('stored');
    } catch (error) {
      this.#failed(taken, error);
    } finally {
      this.#writing -= 1;
      this.#partsInWrites -= parts.length;
    }
    this.#pump();
  }

  #noteWrite(parts: BatchPart[], outcome: WriteOutcome, seconds: number): void {
    const { lane, node, metrics, logger, onStored } = this.#o;
    const rows = parts.reduce((sum, part) => sum + part.scans.length, 0);
    metrics.wrote(lane, { outcome, rows, seconds });
    for (const part of parts) onStored(part);
    if (outcome.dead > 0)
      logger.error({ lane, node, dead: outcome.dead }, 'scans that can not be stored: dead letters');
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#backOff.reset();
    this.#remindedAt = Number.NEGATIVE_INFINITY;
    metrics.held(lane, node, false);
    logger.info({ lane, node }, 'the node takes writes again');
  }

  #failed(taken: Waiting[], error: unknown): void {
    const verdict = classify(error);
    const { lane, metrics } = this.#o;
    metrics.failed(lane, verdict);
    this.#report(error, verdict);
    if (verdict === 'stale-map') {
      for (const { resolve } of taken) resolve('moved');
      return;
    }
    const held = taken.filter(({ signal, canWait }) => canWait && !signal.aborted);
    for (const waiting of taken.filter((candidate) => !held.includes(candidate))) {
      if (waiting.signal.aborted) waiting.reject(waiting.signal.reason);
      else waiting.resolve('away');
    }
    this.#hold(held);
  }

  #hold(held: Waiting[]): void {
    const { lane, node, metrics } = this.#o;
    this.#waiting.unshift(...held);
    this.#isAway = true;
    metrics.held(lane, node, true);
    const hurried = this.#waiting.filter(({ canWait }) => !canWait);
    this.#waiting = this.#waiting.filter(({ canWait }) => canWait);
    for (const { resolve } of hurried) resolve('away');
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#pump();
    }, this.#backOff.nextMs());
  }

  #report(error: unknown, verdict: Verdict): void {
    const { lane, node, logger } = this.#o;
    const detail = { err: error, lane, node, verdict };
    if (verdict !== 'stale-map' && !isExpected(error))
      logger.error(detail, 'a write failed in an unknown way: trying again');
    if (performance.now() - this.#remindedAt < REMIND_MS) return;
    this.#remindedAt = performance.now();
    logger.warn(detail, verdict === 'stale-map' ? 'the node has not this shard' : 'the node takes no writes, holding');
  }
}
