import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../platform/logger.ts';

/** The longest pause between two attempts to reconnect. */
const MAX_RECONNECT_MS = 1_000;

const reconnectAfter = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_MS);

const COMMON = {
  retryStrategy: reconnectAfter,
  // a replica that was promoted, or a primary that was demoted: find the new one
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  keepAlive: 10_000,
} satisfies RedisOptions;

/**
 * A connection that never waits: a command on a connection that is not ready fails at once, and so does one whose reply
 * does not come in time. A command that was sent and not confirmed is not sent again: its caller was told so.
 *
 * @param timeoutMs how long the server may be silent before the connection counts as dead and is made anew
 */
export function connectFailingFast(queueUrl: string, timeoutMs: number, logger: Logger): Redis {
  const redis = new CorkedRedis(queueUrl, {
    ...COMMON,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  logOutages(redis, logger);
  return redis;
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
export function connectWaiting(queueUrl: string, logger: Logger): Redis {
  const redis = new Redis(queueUrl, {
    ...COMMON,
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    socketTimeout: WORKER_SILENCE_MS,
  });
  logOutages(redis, logger);
  return redis;
}

/** One line when the connection is lost, one when it is back, and none for the attempts in between. */
function logOutages(redis: Redis, logger: Logger): void {
  let away = false;
  let closing = false;
  const lost = (error?: Error) => {
    if (!away && !closing) logger.warn({ err: error }, 'the queue is away, reconnecting');
    away = true;
  };
  redis.on('error', lost);
  redis.on('close', () => {
    closing = redis.status === 'end';
    lost();
  });
  redis.on('ready', () => {
    if (away) logger.info('the queue is back');
    away = false;
  });
}
