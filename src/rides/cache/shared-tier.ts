import { Redis } from 'ioredis';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { KeptAnswer } from './kept-answer.ts';

export interface SharedTierOptions {
  /** `redis://` or `rediss://`: not the queue's server, which must never evict */
  url: string;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

const PREFIX = 'liftline:answer:1:';
/** An answer is current for as long as nothing has changed it: days, where the season is over. */
const KEPT_S = 7 * 86_400;
/** A cache that takes longer is no help. */
const PATIENCE_MS = 25;
/** After a failure nobody asks for so long. */
const PAUSE_MS = 1_000;

/**
 * The second tier, which processes share, and which outlives them. Nothing depends on it: whatever it does not answer at
 * once counts as not there.
 */
export class SharedTier {
  readonly #redis: Redis;
  readonly #logger: Logger;
  #pausedUntil = 0;

  constructor({ url, logger, lifecycle }: SharedTierOptions) {
    this.#logger = logger;
    this.#redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 1_000,
      commandTimeout: PATIENCE_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), PAUSE_MS),
    });
    this.#redis.on('error', (error) => this.#failed(error));
    lifecycle.onStop('shared cache', () => Promise.resolve(this.#redis.disconnect()));
  }

  /** Never throws. */
  async get<Read>(key: string): Promise<KeptAnswer<Read> | undefined> {
    if (!this.#isThere()) return undefined;
    try {
      const text = await this.#redis.get(PREFIX + key);
      return text === null ? undefined : (JSON.parse(text) as KeptAnswer<Read>);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** Returns at once, and never throws. */
  set<Read>(key: string, answer: KeptAnswer<Read>): void {
    if (!this.#isThere()) return;
    this.#redis.set(PREFIX + key, JSON.stringify(answer), 'EX', KEPT_S).catch((error: unknown) => this.#failed(error));
  }

  #isThere(): boolean {
    return this.#redis.status === 'ready' && performance.now() >= this.#pausedUntil;
  }

  #failed(error: unknown): void {
    if (performance.now() >= this.#pausedUntil) this.#logger.warn({ err: error }, 'the shared cache does not answer');
    this.#pausedUntil = performance.now() + PAUSE_MS;
  }
}
