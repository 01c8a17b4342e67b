import { once } from 'node:events';
import { Command, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../platform/logger.ts';
import { parseClusterUrl } from '../platform/queue-url.ts';
import { REDIS_LANE_TIME } from './lane-time.ts';
import { followMaster, type WayIn } from './redis-cluster.ts';

/** The longest pause between two attempts to reconnect. */
const MAX_RECONNECT_MS = 1_000;

const reconnectAfter = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_MS);

/** Answers of a server that is no longer the one for writes: it was demoted, or gave the slot away, or lost its cluster. */
const NOT_MINE = /^(READONLY|MOVED|CLUSTERDOWN)\b/;

const COMMON = {
  retryStrategy: reconnectAfter,
  // the next attempt to connect finds the right one
  reconnectOnError: (error: Error) => NOT_MINE.test(error.message),
  keepAlive: 10_000,
} satisfies RedisOptions;

/** Which server: the one of the URL, or in a cluster the one that has the key. */
export interface RedisTarget {
  queueUrl: string;
  /** any key of the lane that the connection is for */
  key: string;
}

/**
 * A connection that never waits: a command on a connection that is not ready fails at once, and so does one whose reply
 * does not come in time. A command that was sent and not confirmed is not sent again: its caller was told so.
 *
 * @param timeoutMs how long the server may be silent before the connection counts as dead and is made anew
 */
export function connectFailingFast(target: RedisTarget, timeoutMs: number, logger: Logger): FailingFastRedis {
  const [url, options] = wayTo(target, timeoutMs);
  const redis = new FailingFastRedis(url, {
    ...options,
    ...COMMON,
    enableOfflineQueue: false,
    // whenever the connection is lost, what is under way is rejected; with 1, ioredis would forget it if it reconnects at once
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  logOutages(redis, target, logger);
  return redis;
}

/** For asking one node of a cluster where a key is: the next attempt asks another one. */
const ASK_MS = 1_000;

function wayTo({ queueUrl, key }: RedisTarget, timeoutMs: number): [url: string, options: WayIn] {
  const cluster = parseClusterUrl(queueUrl);
  if (!cluster) return [queueUrl, {}];
  // the connector decides on the host
  return ['redis://cluster', followMaster(cluster, key, Math.min(ASK_MS, timeoutMs))];
}

/** How BullMQ writes. */
const SCRIPTS = new Set(['evalsha', 'eval']);

/**
 * Commands of one turn of the event loop leave in one write: the adds of an edge's lanes come together, and a system call
 * each was a fifth to a third of an add's CPU.
 */
export class FailingFastRedis extends Redis {
  #clockKey: string | undefined;
  #whenWritten: (() => void) | undefined;
  #timeAfterScripts: Promise<number> | undefined;

  /**
   * From now on scripts are followed by a question for the lane's time, in the same write: its answer costs no wait.
   *
   * @param key where that time has its mark
   */
  askTimeAfterScripts(key: string): void {
    this.#clockKey = key;
  }

  /**
   * @returns the lane's time, milliseconds since the epoch, read after every script that was sent until now; a script that
   *   the server had forgotten is sent a second time, and is followed by a question of its own
   * @throws as a command does
   */
  timeAfterScripts(): Promise<number> {
    return this.#timeAfterScripts ?? Promise.reject(new Error('no script was sent'));
  }

  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const { stream } = this;
    if (stream && 'cork' in stream && stream.writableCorked === 0) {
      stream.cork();
      process.nextTick(() => {
        this.#whenWritten?.();
        stream.uncork();
      });
    }
    if (this.#clockKey !== undefined && SCRIPTS.has(command[0].name)) this.#askTimeLater(this.#clockKey);
    return super.sendCommand(...command);
  }

  /**
   * One question for all scripts of a write, at its end. It is promised at once, while the first of them is sent: nobody who asks
   * after that is given the answer to a question that was sent before their script. It leaves in the next tick, before any reply is
   * read, and so before a script that the server had forgotten is sent again, which makes a write, and a question, of its own.
   */
  #askTimeLater(key: string): void {
    if (this.#whenWritten) return;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    promise.catch(() => {}); // whoever asks is told
    this.#timeAfterScripts = promise;
    this.#whenWritten = () => {
      this.#whenWritten = undefined;
      const question = new Command('eval', [REDIS_LANE_TIME, '1', key], { replyEncoding: 'utf8' });
      super.sendCommand(question);
      question.promise.then((time) => resolve(Number(time)), reject);
    };
  }
}

const waits = new WeakMap<Redis, Promise<unknown>>();

/** Waits until the connection is ready, or its attempt to become so fails: all who do share one wait, and its listeners. */
export async function ready(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  let wait = waits.get(redis);
  if (!wait) {
    wait = once(redis, 'ready').finally(() => waits.delete(redis));
    waits.set(redis, wait);
  }
  await wait;
}

/** Longer than any blocking command of BullMQ (10 s and its watchdog's 1 s). */
const WORKER_SILENCE_MS = 15_000;

/** A connection that reconnects for ever and whose commands wait for it: a worker has nothing better to do. */
export function connectWaiting(target: RedisTarget, logger: Logger): Redis {
  const [url, options] = wayTo(target, ASK_MS);
  const redis = new Redis(url, {
    ...options,
    ...COMMON,
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    socketTimeout: WORKER_SILENCE_MS,
  });
  logOutages(redis, target, logger);
  return redis;
}

/** One line when the connection is lost, one when it is back, and none for the attempts in between. */
function logOutages(redis: Redis, { queueUrl, key }: RedisTarget, logger: Logger): void {
  // in a cluster, whose server it is
  const which = parseClusterUrl(queueUrl) ? { key } : {};
  let away = false;
  let closing = false;
  const lost = (error?: Error) => {
    if (!away && !closing) logger.warn({ err: error, ...which }, 'the queue is away, reconnecting');
    away = true;
  };
  redis.on('error', lost);
  redis.on('close', () => {
    closing = redis.status === 'end';
    lost();
  });
  redis.on('ready', () => {
    if (away) logger.info(which, 'the queue is back');
    away = false;
  });
}
