import { Redis } from 'ioredis';
import { z } from 'zod';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { KeptAnswer } from './kept-answer.ts';

export interface SharedTierOptions {
  /** `redis://` or `rediss://`: not the queue's server, which must never evict */
  url: string;
  /** whose answers: others may keep theirs in the same Redis, of skiers with the same numbers */
  installation: string;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

/** Raised when answers are kept in another form. */
const FORMAT = 2;
/** An answer is current for as long as nothing has changed it: days, where the season is over. */
const KEPT_S = 7 * 86_400;
/** A cache that takes longer is no help. */
const PATIENCE_MS = 25;
/** After a failure nobody asks until it has answered a question of ours in time. */
const RETRY_MS = 500;
const NEWLINE = 10;

const facts = z.object({
  read: z.unknown(),
  asOf: z.number().nullable(),
  directoryVersion: z.number(),
  etag: z.string().regex(/^W\/"[\w-]+"$/),
});

/**
 * The second tier, which processes share, and which outlives them. Nothing depends on it: whatever it does not answer at
 * once counts as not there.
 */
export class SharedTier {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #logger: Logger;
  #retry: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor({ url, installation, logger, lifecycle }: SharedTierOptions) {
    this.#logger = logger;
    this.#prefix = `liftline:answer:${FORMAT}:${installation}:`;
    this.#redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 1_000,
      commandTimeout: PATIENCE_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), 1_000),
    });
    this.#redis.on('error', (error) => this.#failed(error));
    lifecycle.onStop('shared cache', () => {
      this.#isStopped = true;
      clearTimeout(this.#retry);
      this.#redis.disconnect();
    });
  }

  /** Never throws; what it has is to be judged as any other answer is: by what it was read from. */
  async get<Read>(key: string, readAs: (read: unknown) => Read | undefined): Promise<KeptAnswer<Read> | undefined> {
    if (!this.#isThere()) return undefined;
    try {
      const bytes = await this.#redis.getBuffer(this.#prefix + key);
      return bytes === null ? undefined : decode(bytes, readAs);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** Returns at once, and never throws. */
  set<Read>(key: string, answer: KeptAnswer<Read>): void {
    if (!this.#isThere()) return;
    this.#redis.set(this.#prefix + key, encode(answer), 'EX', KEPT_S).catch((error: unknown) => this.#failed(error));
  }

  #isThere(): boolean {
    return this.#redis.status === 'ready' && this.#retry === undefined;
  }

  #failed(error: unknown): void {
    if (this.#retry !== undefined || this.#isStopped) return;
    this.#logger.warn({ err: error }, 'the shared cache does not answer');
    this.#retry = setTimeout(() => void this.#tryAgain(), RETRY_MS);
  }

  async #tryAgain(): Promise<void> {
    const isBack = await this.#redis.ping().then(
      () => true,
      () => false,
    );
    if (this.#isStopped) return;
    this.#retry = isBack ? undefined : setTimeout(() => void this.#tryAgain(), RETRY_MS);
  }
}

/** One line of facts, and the answer as it is sent. */
function encode<Read>({ read, asOf, directoryVersion, etag, rest }: KeptAnswer<Read>): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ read, asOf, directoryVersion, etag })}\n`), rest]);
}

/** @returns undefined for what {@link encode} has not made */
function decode<Read>(bytes: Buffer, readAs: (read: unknown) => Read | undefined): KeptAnswer<Read> | undefined {
  const lineEnd = bytes.indexOf(NEWLINE);
  const found = facts.safeParse(JSON.parse(bytes.toString('utf8', 0, Math.max(0, lineEnd))));
  const read = found.success ? readAs(found.data.read) : undefined;
  if (!found.success || read === undefined) return undefined;
  return { ...found.data, read, rest: Buffer.from(bytes.subarray(lineEnd + 1)) };
}
