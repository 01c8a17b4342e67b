import { LRUCache } from 'lru-cache';
import { Problem } from '../../domain/problem.ts';
import { type KeptAnswer, keep, type LoadedAnswer } from './kept-answer.ts';
import type { CacheMetrics } from './metrics.ts';
import type { SharedTier } from './shared-tier.ts';

/** A question whose answers may be kept. */
export interface Question<Read> {
  /** tells questions with different answers apart; of a skier's, nobody else's */
  key: string;
  /** for metrics: what is asked about */
  kind: 'skier' | 'resort';
  /** @returns what {@link load} has read, as the shared tier gave it back; undefined for anything else */
  readAs(value: unknown): Read | undefined;
  /** whether what was read then is what a read would find now */
  isCurrent(read: Read): boolean;
  /** up to when a current answer is complete, milliseconds since the epoch; null when nobody knows */
  asOf(): number | null;
  /** @throws Problem `node_unavailable`, among others */
  load(): Promise<LoadedAnswer<Read>>;
}

/** An answer, and up to when it is complete. */
export interface GivenAnswer {
  kept: KeptAnswer<unknown>;
  asOf: number | null;
  /** true when it may be outdated: its node is away */
  isStale: boolean;
}

export interface AnswerCacheOptions {
  /** memory for answers, bytes; 0 keeps none */
  maxBytes: number;
  shared?: SharedTier | undefined;
  directoryVersion: () => number;
  metrics: CacheMetrics;
}

/** What an entry takes besides its text, about. */
const ENTRY_BYTES = 600;
/** Longer questions are not worth keeping. */
const MAX_KEY_LENGTH = 300;
/** Who asks so long after a read was sent waits for another one: an answer is not to be older than that and the way back. */
const JOIN_MS = 250;

interface Filling {
  sentAt: number;
  answer: Promise<KeptAnswer<unknown>>;
}

/**
 * Keeps answers, and gives them as long as they are current: not for a time, but until something has changed them. An answer that is
 * given again says the newer `asOf`, for it is what a read would find at that instant.
 *
 * An outdated answer stays until there is a new one: while its node is away it is given, and says that it is stale.
 */
export class AnswerCache {
  readonly #o: AnswerCacheOptions;
  readonly #kept: LRUCache<string, KeptAnswer<unknown>> | undefined;
  readonly #filling = new Map<string, Filling>();

  constructor(o: AnswerCacheOptions) {
    this.#o = o;
    if (o.maxBytes === 0) return;
    const kept = new LRUCache<string, KeptAnswer<unknown>>({
      maxSize: o.maxBytes,
      sizeCalculation: ({ bytes }, key) => bytes + key.length + ENTRY_BYTES,
    });
    this.#kept = kept;
    o.metrics.watch(() => ({ entries: kept.size, bytes: kept.calculatedSize }));
  }

  /** @returns the answer when it is in this process and current: without waiting for anything */
  current<Read>(question: Question<Read>): GivenAnswer | undefined {
    const kept = this.#kept?.get(question.key) as KeptAnswer<Read> | undefined;
    if (!kept || !this.#isCurrent(question, kept)) return undefined;
    this.#o.metrics.count(question.kind, 'hit');
    return { kept, asOf: later(kept.asOf, question.asOf()), isStale: false };
  }

  /**
   * @param o.isFresh whether only what is read from now on will do
   * @returns the answer, read anew unless the shared tier has it; those who ask while it is being read get the same one
   * @throws what `load` throws, unless there is an outdated answer and a node is away
   */
  async fill<Read>(question: Question<Read>, o: { isFresh?: boolean } = {}): Promise<GivenAnswer> {
    const { metrics } = this.#o;
    try {
      const kept = await (o.isFresh ? this.#load(question) : this.#fillOnce(question));
      const newer = question.isCurrent(kept.read) ? question.asOf() : null;
      return { kept, asOf: later(kept.asOf, newer), isStale: false };
    } catch (error) {
      const old = this.#kept?.get(question.key);
      if (!old || !(error instanceof Problem) || error.code !== 'node_unavailable') throw error;
      metrics.count(question.kind, 'stale');
      return { kept: old, asOf: old.asOf, isStale: true };
    }
  }

  #isCurrent<Read>(question: Question<Read>, kept: KeptAnswer<Read>): boolean {
    return kept.directoryVersion === this.#o.directoryVersion() && question.isCurrent(kept.read);
  }

  #fillOnce<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    if (!this.#kept) return this.#load(question);
    const underWay = this.#filling.get(question.key);
    const now = performance.now();
    if (underWay && now - underWay.sentAt < JOIN_MS) return underWay.answer as Promise<KeptAnswer<Read>>;
    const answer = this.#lookFurther(question).finally(() => {
      if (this.#filling.get(question.key) === filling) this.#filling.delete(question.key);
    });
    const filling = { sentAt: now, answer };
    this.#filling.set(question.key, filling);
    return answer;
  }

  async #lookFurther<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    const { shared, metrics } = this.#o;
    const found = await shared?.get(question.key, (value) => question.readAs(value));
    if (found && this.#isCurrent(question, found)) {
      metrics.count(question.kind, 'shared');
      this.#keep(question, found);
      return found;
    }
    // outdated, but all there is when the node is away
    if (found && !this.#kept?.has(question.key)) this.#keep(question, found);
    const kept = await this.#load(question);
    if (isKeepable(question)) shared?.set(question.key, kept);
    return kept;
  }

  async #load<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    const version = this.#o.directoryVersion();
    this.#o.metrics.count(question.kind, 'miss');
    const kept = keep(await question.load(), version);
    this.#keep(question, kept);
    return kept;
  }

  #keep<Read>(question: Question<Read>, kept: KeptAnswer<Read>): void {
    if (isKeepable(question)) this.#kept?.set(question.key, kept);
  }
}

function isKeepable({ key }: Question<unknown>): boolean {
  return key.length <= MAX_KEY_LENGTH;
}

/** A current answer is complete until then: unless its own read was newer than the last look at the lanes. */
function later(own: number | null, told: number | null): number | null {
  if (own === null || told === null) return own ?? told;
  return Math.max(own, told);
}
