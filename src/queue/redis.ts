import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../platform/logger.ts';
import { parseClusterUrl } from '../platform/queue-url.ts';
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
export function connectFailingFast(target: RedisTarget, timeoutMs: number, logger: Logger): Redis {
  const [url, options] = wayTo(target, timeoutMs);
  const redis = new CorkedRedis(url, {
    ...options,
    ...COMMON,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
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

/**
 * Commands of one turn of the event loop leave in one write: the adds of an edge's lanes come together, and a system call
 * each was a fifth to a third of an add's CPU.
 */
class CorkedRedis extends Redis {
  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const { stream } = this;
    if (stream && 'cork' in stream && stream.writableCorked === 0) {
      stream.cork();
      process.nextTick(() => stream.uncork());
    }
    return super.sendCommand(...command);
  }
}

/** Waits until the connection is ready, or its attempt to become so fails. */
export async function ready(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await once(redis, 'ready');
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
