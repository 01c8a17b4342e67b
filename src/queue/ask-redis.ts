import type { Redis } from 'ioredis';

/** How a client is made that is used for one question. */
export interface OneQuestion {
  lazyConnect: true;
  connectTimeout: number;
  socketTimeout: number;
  maxRetriesPerRequest: 0;
  retryStrategy: () => null;
  enableReadyCheck: false;
}

/**
 * Opens a connection, asks, and leaves: nothing is tried again, and no wait is without an end.
 *
 * @param open makes a client with these options
 * @throws Error when the server does not answer within the timeout, and whatever it answers instead
 */
export async function askRedis<T>(
  open: (options: OneQuestion) => Redis,
  timeoutMs: number,
  ask: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = open({
    lazyConnect: true,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  redis.on('error', () => {}); // connect() rejects with it
  try {
    await redis.connect();
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
