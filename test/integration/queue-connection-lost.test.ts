import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/platform/logger.ts';
import { connectFailingFast, type FailingFastRedis, ready } from '../../src/queue/redis.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const TIMEOUT_MS = 30_000;

describe.skipIf(!redisAvailable)('a connection that fails fast', () => {
  let redis: TestRedis;
  let admin: Redis;
  let connection: FailingFastRedis;
  beforeAll(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url);
    const logger = createLogger({ level: 'silent', process: 'test' });
    connection = connectFailingFast({ queueUrl: redis.url, key: 'any' }, TIMEOUT_MS, logger);
    await ready(connection);
  });
  afterAll(async () => {
    connection.disconnect();
    admin.disconnect();
    await redis.stop();
  });

  it('rejects what was under way when it is lost, also when the first attempt to reconnect succeeds', async () => {
    const id = await connection.client('ID');
    let outcome: unknown;
    connection.blpop('nothing ever comes', 0).then(
      () => (outcome = 'answered'),
      (error: unknown) => (outcome = error),
    );
    await until('the server holds it', async () => /^blocked_clients:1/m.test(await admin.info('clients')));
    await admin.call('CLIENT', 'KILL', 'ID', id);
    await until('it is told', () => outcome !== undefined);
    expect(outcome).toBeInstanceOf(Error);
    await ready(connection);
    expect(await connection.client('ID')).toBeGreaterThan(id);
  });
});
