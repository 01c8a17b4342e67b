import { LRUCache } from 'lru-cache';
import { Problem } from '../../domain/problem.ts';
import { type KeptAnswer, keep, type LoadedAnswer } from './kept-answer.ts';
import type { CacheMetrics } from './metrics.ts';
import type { SharedTier } from './shared-tier.ts';

/** How an answer that is kept is judged; it is kept too, so it should hold on to nothing of a request. */
export interface Validity<Read> {
  /** whether what was read then is what a read would find now */
  isCurrent(read: Read): boolean;
  /** up to when a current answer is complete, milliseconds since the epoch; null when nobody knows */
  asOf(): number | null;
  /** what changes all the time may be given so long after it was read, milliseconds; with the `asOf` that it had */
  mayLagMs?: number;
}

/** A question whose answers may be kept. */
export interface Question<Read> {
  /** tells questions with different answers apart; of a skier's, nobody else's */
  key: string;
  /** for metrics: what is asked about */
  kind: 'skier' | 'resort';
  /** the pattern of the path that it is asked by */
  route?: string | undefined;
  validity: Validity<Read>;
  /** @returns what {@link load} has read, as the shared tier gave it back; undefined for anything else */
  readAs(value: unknown): Read | undefined;
  /** @throws Problem `node_unavailable`, among others */
  load(): Promise<LoadedAnswer<Read>>;
}

/** An answer, and up to when it is complete. */
export interface GivenAnswer {
  kept: KeptAnswer<unknown>;
  /** see `Question` */
  route: string | undefined;
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

/** What an entry takes besides its text, about: 1,010 to 1,150 were seen. */
const ENTRY_BYTES = 1_100;
/** Longer questions are not worth keeping. */
const MAX_KEY_LENGTH = 300;
/** Who asks so long after a read was sent waits for another one: an answer is not to be older than that and the way back. */
const JOIN_MS = 250;

interface Entry<Read> extends Pick<Question<Read>, 'kind' | 'route' | 'validity'> {
  kept: KeptAnswer<Read>;
  /** before it was read, by `performance.now`; long ago, when another process has read it */
  sentAt: number;
}

const LONG_AGO = Number.NEGATIVE_INFINITY;

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
  readonly #entries: LRUCache<string, Entry<unknown>> | undefined;
  readonly #filling = new Map<string, Filling>();

  constructor(o: AnswerCacheOptions) {
    this.#o = o;
    if (o.maxBytes === 0) return;
    const entries = new LRUCache<string, Entry<unknown>>({
      maxSize: o.maxBytes,
      sizeCalculation: ({ kept }, key) => kept.rest.length + key.length + ENTRY_BYTES,
    });
    this.#entries = entries;
    o.metrics.watch(() => ({ entries: entries.size, bytes: entries.calculatedSize }));
  }

  /** @returns the answer to the question of this key when it is in this process and current: without waiting for anything */
  current(key: string): GivenAnswer | undefined {
    const entry = this.#entries?.get(key);
    if (!entry) return undefined;
    const { kept, kind, route, validity } = entry;
    const isCurrent = this.#isCurrent(validity, kept);
    if (!isCurrent && !this.#mayLag(entry)) return undefined;
    this.#o.metrics.count(kind, 'hit');
    return { kept, route, asOf: isCurrent ? later(kept.asOf, validity.asOf()) : kept.asOf, isStale: false };
  }

  /**
   * @param o.isFresh whether only what is read from now on will do
   * @returns the answer, read anew unless the shared tier has it; those who ask while it is being read get the same one
   * @throws what `load` throws, unless there is an outdated answer and a node is away
   */
  async fill<Read>(question: Question<Read>, o: { isFresh?: boolean } = {}): Promise<GivenAnswer> {
    const { route, validity } = question;
    try {
      const kept = await (o.isFresh ? this.#load(question) : this.#fillOnce(question));
      const newer = validity.isCurrent(kept.read) ? validity.asOf() : null;
      return { kept, route, asOf: later(kept.asOf, newer), isStale: false };
    } catch (error) {
      const kept = this.#entries?.get(question.key)?.kept;
      if (!kept || !(error instanceof Problem) || error.code !== 'node_unavailable') throw error;
      this.#o.metrics.count(question.kind, 'stale');
      return { kept, route, asOf: kept.asOf, isStale: true };
    }
  }

  #isCurrent<Read>(validity: Validity<Read>, kept: KeptAnswer<Read>): boolean {
    return kept.directoryVersion === this.#o.directoryVersion() && validity.isCurrent(kept.read);
  }

  #mayLag({ kept, validity: { mayLagMs }, sentAt }: Entry<unknown>): boolean {
    if (mayLagMs === undefined || kept.directoryVersion !== this.#o.directoryVersion()) return false;
    return performance.now() - sentAt < mayLagMs;
  }

  #fillOnce<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    if (!this.#entries) return this.#load(question);
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
    const found = shared && (await shared.get(question.key, (value) => question.readAs(value)));
    if (found && this.#isCurrent(question.validity, found)) {
      metrics.count(question.kind, 'shared');
      this.#keep(question, found, LONG_AGO);
      return found;
    }
    // outdated, but all there is when the node is away
    if (found && !this.#entries?.has(question.key)) this.#keep(question, found, LONG_AGO);
    const kept = await this.#load(question);
    if (isKeepable(question)) shared?.set(question.key, kept);
    return kept;
  }

  async #load<Read>(question: Question<Read>): Promise<KeptAnswer<Read>> {
    const [version, sentAt] = [this.#o.directoryVersion(), performance.now()];
    this.#o.metrics.count(question.kind, 'miss');
    const kept = keep(await question.load(), version);
    this.#keep(question, kept, sentAt);
    return kept;
  }

  #keep<Read>(question: Question<Read>, kept: KeptAnswer<Read>, sentAt: number): void {
    const { key, kind, route, validity } = question;
    if (isKeepable(question)) this.#entries?.set(key, { kept, kind, route, validity, sentAt });
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
