import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDurability } from '../../src/queue/durability.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { redisAvailable, startRedis } from '../support/redis.ts';

async function withRedis<T>(args: string[], use: (url: string) => Promise<T>): Promise<T> {
  const redis = await startRedis({ args });
  try {
    return await use(redis.url);
  } finally {
    await redis.stop();
  }
}

describe.skipIf(!redisAvailable)('the durability of Redis', () => {
  it('is fine as production runs it', () =>
    withRedis([], async (url) => {
      expect(await checkDurability(url, 'strict')).toEqual({ problems: [], warnings: [] });
    }));

  it('lists all problems at once, each with what to change', () =>
    withRedis(['--appendonly', 'no', '--appendfsync', 'everysec', '--maxmemory-policy', 'allkeys-lru'], async (url) => {
      const { problems, warnings } = await checkDurability(url, 'strict');
      expect(warnings).toEqual([]);
      expect(problems).toEqual([
        expect.stringMatching(/maxmemory-policy is allkeys-lru, not noeviction/),
        expect.stringMatching(/appendonly is no, not yes/),
        expect.stringMatching(/appendfsync is everysec, not always/),
      ]);
    }));

  it('can be accepted to lose jobs in a crash, but never by eviction', () =>
    withRedis(['--appendfsync', 'everysec', '--maxmemory-policy', 'volatile-ttl'], async (url) => {
      expect(await checkDurability(url, 'accept-loss')).toEqual({
        problems: [expect.stringMatching(/maxmemory-policy/)],
        warnings: [expect.stringMatching(/appendfsync/)],
      });
    }));

  it('is unknown where the server hides its configuration, and unknown is not good enough', () =>
    withRedis([], async (url) => {
      expect(await checkDurability(await managed(url, '-config'), 'strict')).toEqual({
        problems: [
          expect.stringMatching(/appendfsync should be always.*hides its configuration.*QUEUE_DURABILITY=vouched/),
        ],
        warnings: [],
      });
      const { problems } = await checkDurability(await managed(url, '-config', '-info'), 'strict');
      expect(problems).toEqual([
        expect.stringMatching(/maxmemory-policy should be noeviction/),
        expect.stringMatching(/appendonly should be yes/),
        expect.stringMatching(/appendfsync should be always/),
      ]);
    }));

  it('can be vouched for where it is hidden, and is checked where it is not', () =>
    withRedis(['--maxmemory-policy', 'allkeys-lru'], async (url) => {
      expect(await checkDurability(await managed(url, '-config'), 'vouched')).toEqual({
        // INFO tells it
        problems: [expect.stringMatching(/maxmemory-policy is allkeys-lru/)],
        warnings: [expect.stringMatching(/^taken on trust: Redis appendfsync should be always/)],
      });
      const { problems, warnings } = await checkDurability(await managed(url, '-config', '-info'), 'vouched');
      expect([problems.length, warnings.length]).toEqual([0, 3]);
    }));

  it('can not be vouched for where the server says otherwise', () =>
    withRedis(['--appendonly', 'no', '--appendfsync', 'everysec'], async (url) => {
      expect(await checkDurability(url, 'vouched')).toEqual({
        problems: [expect.stringMatching(/appendonly is no/), expect.stringMatching(/appendfsync is everysec/)],
        warnings: [],
      });
    }));

  it('says so when a cluster was expected and there is none', () =>
    withRedis([], async (url) => {
      const { problems } = await checkDurability(url.replace('redis:', 'redis+cluster:'), 'accept-loss');
      expect(problems).toEqual([expect.stringMatching(/no Redis Cluster.*redis:\/\//)]);
    }));
});

/** @returns the URL of a user who may not do everything, as a managed server gives it away */
async function managed(url: string, ...denied: string[]): Promise<string> {
  const admin = new Redis(url);
  await admin.call('ACL', 'SETUSER', 'managed', 'reset', 'on', '>secret', '~*', '+@all', ...denied);
  admin.disconnect();
  const own = new URL(url);
  own.username = 'managed';
  own.password = 'secret';
  return own.href;
}

describe('the durability of Postgres', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  it('finds what the server and the database are set to', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      // the tests' own server runs without fsync
      expect(await checkDurability(database.url, 'strict')).toEqual({
        problems: [expect.stringMatching(/fsync is off/)],
        warnings: [],
      });
      await client.query(
        `ALTER DATABASE ${client.escapeIdentifier(client.database as string)} SET synchronous_commit = off`,
      );
      const { problems } = await checkDurability(database.url, 'strict');
      expect(problems).toEqual([
        expect.stringMatching(/synchronous_commit is off/),
        expect.stringMatching(/fsync is off/),
      ]);
      expect(await checkDurability(database.url, 'accept-loss')).toEqual({ problems: [], warnings: problems });
    } finally {
      await client.end();
    }
  });
});

describe('the durability of a queue that is away', () => {
  it.each(['redis://127.0.0.1:1', 'postgres://postgres@127.0.0.1:1/queue'])('can not be told: %s', async (url) => {
    await expect(checkDurability(url, 'strict')).rejects.toMatchObject({ code: 'queue_unavailable' });
  });

  it('is no question for other schemes', async () => {
    await expect(checkDurability('mysql://127.0.0.1/queue', 'strict')).rejects.toThrow(/must begin with/);
  });
});
