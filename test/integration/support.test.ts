import { Redis } from 'ioredis';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/postgres.ts';
import { redisAvailable, startRedis } from '../support/redis.ts';

describe('the test services', () => {
  test('a dropped database reports a session that was left open', async () => {
    const database = await freshDatabase();
    const sql = postgres(database.url, { max: 1 });
    await sql`SELECT 1`;
    await expect(database.drop()).rejects.toThrow(/leak: 1 sessions/);
    await sql.end({ timeout: 1 });
  });

  test('a closed client is no leak', async () => {
    const database = await freshDatabase();
    const sql = postgres(database.url, { max: 1 });
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    await sql.end();
    await database.drop();
  });

  test.skipIf(!redisAvailable)('redis keeps its data over kill -9', async () => {
    const redis = await startRedis();
    const before = new Redis(redis.url);
    before.on('error', () => {}); // its server is about to be killed
    await before.set('kept', 'yes');
    redis.signal('SIGKILL');
    await redis.restart();
    before.disconnect();
    const after = new Redis(redis.url);
    expect(await after.get('kept')).toBe('yes');
    after.disconnect();
    await redis.stop();
  });
});
