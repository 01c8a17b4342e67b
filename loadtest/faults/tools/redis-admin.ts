import { Redis } from 'ioredis';

/** What a fault asks a Redis server, and sets behind Liftline's back. */
export interface RedisAdmin {
  /** a number of `INFO`, e.g. `used_memory`. @throws Error when the server does not answer, or has no such number */
  number(name: string): Promise<number>;
  /** `CONFIG SET` */
  set(name: string, value: string): Promise<void>;
  close(): void;
}

/** Opens a connection that comes back by itself after the server was killed. */
export function openRedisAdmin(url: string): RedisAdmin {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 100 });
  redis.on('error', () => {}); // the questions fail with it
  return {
    async number(name) {
      const found = new RegExp(`^${name}:(\\d+)`, 'm').exec(await redis.info())?.[1];
      if (found === undefined) throw new Error(`Redis tells no ${name}`);
      return Number(found);
    },
    async set(name, value) {
      await redis.config('SET', name, value);
    },
    close: () => redis.disconnect(),
  };
}
