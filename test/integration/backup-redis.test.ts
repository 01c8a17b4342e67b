import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeBatch } from '../../src/queue/codec.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { whileRunning } from '../support/until.ts';
import { openSite, openTestLink, scansOf, type Site } from './queue-backends.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../deploy/backup/backup-redis.sh');
const PASSWORD = 'p@ss\\word %20/:';

async function backup(folder: string, url: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const run = promisify(execFile)(SCRIPT, [folder], { env: { PATH: process.env.PATH, QUEUE_URL: url } });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout: stdout.trim(), stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

describe.skipIf(!redisAvailable)('backup of the queue on Redis', () => {
  let redis: TestRedis;
  let url: string;
  let folder: string;
  let site: Site;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'liftline-redis-backup-'));
    redis = await startRedis();
    const client = new Redis(redis.url);
    await client.config('SET', 'requirepass', PASSWORD);
    await client.quit();
    const withPassword = new URL(redis.url);
    url = `redis://:${encodeURIComponent(PASSWORD)}@${withPassword.host}`;
  });
  beforeEach(async () => {
    site = await openSite(url);
  });
  afterEach(() => site.lifecycle.stop(5_000));
  afterAll(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('a copy that was made while jobs came holds everything that was confirmed before', async () => {
    const producer = await openProducer(site);
    const acked: string[] = [];
    for (let i = 0; i < 50; i += 1) acked.push((await producer.enqueue(0, scansOf(5))).batchId);
    const { code, stdout: place } = await whileRunning(backup(folder, url), () => producer.enqueue(0, scansOf(5)));
    expect(code).toBe(0);
    expect((await readdir(path.join(place, 'appendonlydir'))).length).toBeGreaterThan(1);

    const restored = await startRedis({ args: ['--dir', place] });
    try {
      const link = await openTestLink({ ...site, queueUrl: restored.url });
      const jobs = await link.queue(0).getJobs(['waiting']);
      const there = new Set(jobs.map((job) => decodeBatch(job.data).batchId));
      expect(acked.filter((batchId) => !there.has(batchId))).toEqual([]);
    } finally {
      await site.lifecycle.stop(5_000);
      await restored.stop();
    }
  });

  test('the server is left as it was found', async () => {
    expect((await backup(folder, url)).code).toBe(0);
    const client = new Redis(url);
    expect(await client.config('GET', 'auto-aof-rewrite-percentage')).toEqual(['auto-aof-rewrite-percentage', '100']);
    await client.quit();
  });

  test('a wrong password, or no append-only file: no backup', async () => {
    const other = path.join(folder, 'other');
    expect((await backup(other, url.replace(encodeURIComponent(PASSWORD), 'guessed'))).code).not.toBe(0);
    const client = new Redis(url);
    await client.config('SET', 'appendonly', 'no');
    await client.quit();
    const { code, stderr } = await backup(other, url);
    expect([code, stderr]).toEqual([1, 'this Redis has no append-only file\n']);
    expect(await readdir(other).catch(() => [])).toEqual([]);
  });
});
