import { LRUCache } from 'lru-cache';
import { Problem } from '../../domain/problem.ts';
import { keep, type KeptAnswer, type LoadedAnswer } from './kept-answer.ts';
import type { CacheMetrics } from './metrics.ts';
import type { SharedTier } from './shared-tier.ts';

/** A question whose answers may be kept. */
export interface Question<Read> {
  /** tells questions with different answers apart; of a skier's, nobody else's */
  key: string;
  /** for metrics: what is asked about */
  kind: 'skier' | 'resort';
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
const ENTRY_BYTES = 500;
/** Longer questions are not worth keeping. */
const MAX_KEY_LENGTH = 300;

/**
 * Keeps answers, and gives them as long as they are current: not for a time, but until something has changed them. An answer that is
 * given again says the newer `asOf`, for it is what a read would find at that instant.
 *
 * An outdated answer stays until there is a new one: while its node is away it is given, and says that it is stale.
 */
export class AnswerCache {
  readonly #o: AnswerCacheOptions;
  readonly #kept: LRUCache<string, KeptAnswer<unknown>> | undefined;
  readonly #filling = new Map<string, Promise<KeptAnswer<unknown>>>();

  constructor(o: AnswerCacheOptions) {
    this.#o = o;
    if (o.maxBytes === 0) return;
    const kept = new LRUCache<string, KeptAnswer<unknown>>({
      maxSize: o.maxBytes,
      sizeCalculation: ({ rest }, key) => rest.length + key.length + ENTRY_BYTES,
    });
    this.#kept = kept;
    o.metrics.watch(() => ({ entries: kept.size, bytes: kept.calculatedSize }));
  }

  /** @returns the answer when it is in this process and current: without waiting for anything */
  current<Read>(question: Question<Read>): GivenAnswer | undefined {
    const kept = this.#kept?.get(question.key) as KeptAnswer<Read> | undefined;
    if (!kept || !this.#isCurrent(question, kept)) return undefined;
    this.#o.metrics.count(question.kind, 'hit');
    return given(question, kept);
  }

  /**
   * @param o.isFresh whether only what is read from now on will do
   * @returns the answer, read anew unless the shared tier has it; those who ask while it is being read get the same one
   * @throws what `load` throws, unless there is an outdated answer and a node is away
   */
  async fill<Read>(question: Question<Read>, o: { isFresh?: boolean } = {}): Promise<GivenAnswer> {
    const { metrics } = this.#o;
    try {
      return given(question, await (o.isFresh ? this.#load(question) : this.#fillOnce(question)));
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
    if (!this.#kept || question.key.length > MAX_KEY_LENGTH) return this.#load(question);
    const underWay = this.#filling.get(question.key) as Promise<KeptAnswer<Read>> | undefined;
    if (underWay) return underWay;
    const filling = this.#lookFurther(question).finally(() => this.#filling.delete(question.key));
    this.#filling.set(question.key, filling);
    return filling;
  }

  async #lookFurther<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    const { shared, metrics } = this.#o;
    const found = await shared?.get<Read>(question.key);
    if (found && this.#isCurrent(question, found)) {
      metrics.count(question.kind, 'shared');
      this.#kept?.set(question.key, found);
      return found;
    }
    const kept = await this.#load(question);
    this.#kept?.set(question.key, kept);
    shared?.set(question.key, kept);
    return kept;
  }

  async #load<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    const version = this.#o.directoryVersion();
    this.#o.metrics.count(question.kind, 'miss');
    return keep(await question.load(), version);
  }
}

function given<Read>(question: Question<Read>, kept: KeptAnswer<Read>): GivenAnswer {
  const newer = question.isCurrent(kept.read) ? question.asOf() : null;
  const asOf = newer !== null && (kept.asOf === null || newer > kept.asOf) ? newer : kept.asOf;
  return { kept, asOf, isStale: false };
}
