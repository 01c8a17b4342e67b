import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueCommand } from '../../src/cli/queue.ts';
import { openConsumer } from '../../src/queue/consumer.ts';
import { runHere } from '../support/commands.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { scanNo, skierOn } from '../support/nodes.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

interface Status {
  lanes: { lane: number; waitingJobs: number; failedJobs: number; scans: number; exact: boolean }[];
  total: { waitingJobs: number; failedJobs: number; scans: number; oldestAgeS: number | null; exact: boolean };
}

describe.each([
  ['Redis', redisAvailable],
  ['Postgres', true],
])('liftline queue on %s', (backend, isAvailable) => {
  describe.skipIf(!isAvailable)('in use', () => {
    const isRedis = backend === 'Redis';
    let redis: TestRedis | undefined;
    let site: Installation;
    beforeAll(async () => {
      if (isRedis) redis = await startRedis();
      site = await startInstallation(redis?.url);
    });
    afterAll(async () => {
      await site.stop();
      await redis?.stop();
    });
    const queue = (args: string[], env: Record<string, string> = {}) =>
      runHere(queueCommand(), args, { ...site.env, ...env });
    const status = async () => JSON.parse((await queue(['status', '--json'])).output) as Status;

    test('status: jobs by state, scans and age, for each lane and in total', async () => {
      expect(await status()).toMatchObject({ total: { waitingJobs: 0, scans: 0, oldestAgeS: null, exact: true } });
      await site.send([scanNo(1, { skierId: skierOn(0) }), scanNo(2, { skierId: skierOn(2) })]);
      await site.send([scanNo(3, { skierId: skierOn(1) })]);
      const found = await status();
      expect(found.lanes).toMatchObject([
        { lane: 0, waitingJobs: 1, scans: 2, exact: true },
        { lane: 1, waitingJobs: 1, scans: 1, exact: true },
      ]);
      expect(found.total).toMatchObject({ waitingJobs: 2, scans: 3, failedJobs: 0 });
      expect(found.total.oldestAgeS).toBeGreaterThanOrEqual(0);
      const { code, output } = await queue(['status']);
      expect(code).toBe(0);
      expect(output).toMatch(/^LANE +WAITING .*OLDEST/);
      expect(output).toMatch(/\nall +2 +0 +0 +0 +3 +\d+\.\d s +2\n$/);
    });

    test('failed: the reason of each, and how long it rests', async () => {
      expect((await queue(['failed'])).output).toBe('no failed jobs\n');
      const { logger } = recordedLog();
      const consumer = openConsumer({
        ...site.queue,
        lane: 0,
        concurrency: 1,
        lockMs: 2_000,
        stallCheckMs: 1_000,
        logger,
        lifecycle: site.lifecycle,
        handle: () => Promise.reject(new Error('a reason\nof two lines')),
      });
      consumer.start();
      await until('it failed', async () => (await status()).total.failedJobs === 1);
      await consumer.drain(2_000);
      const { failed } = JSON.parse((await queue(['failed', '--json'])).output) as { failed: object[] };
      expect(failed).toMatchObject([{ lane: 0, scans: 2, reason: 'a reason of two lines' }]);
      const shown = await queue(['failed', '--lane', '0']);
      expect(shown.output).toMatch(/^LANE +JOB .*\n0 +\S+ +2 .*a reason of two lines\n$/);
      expect((await queue(['failed', '--lane', '1'])).output).toBe('no failed jobs\n');
      const unknown = await queue(['failed', '--lane', '2']);
      expect([unknown.code, unknown.output]).toEqual([1, 'liftline: there is no lane 2, only 0 to 1\n']);
    });

    test('while the queue is away: one line, exit code 1', async () => {
      const QUEUE_URL = isRedis ? 'redis://127.0.0.1:1' : 'postgres://127.0.0.1:1/none';
      for (const command of ['status', 'failed']) {
        const { code, output } = await queue([command], { QUEUE_URL });
        expect(code).toBe(1);
        expect(output).toMatch(/^liftline: The queue does not tell its .*ECONNREFUSED.*\n$/);
      }
    });
  });
});
