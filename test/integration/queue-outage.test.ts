import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { collect, describeQueues, EMPTY, lane0Of, openSite, type Site, scansOf } from './queue-backends.ts';

const DEADLINE_MS = 600;
/** a busy machine's share on top of a deadline */
const SLACK_MS = 900;

/** @returns milliseconds until the add was refused as it should be */
async function refusalMs(producer: LaneProducer): Promise<number> {
  const startedAt = performance.now();
  const refused = await producer.enqueue(0, scansOf(1)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Problem);
  expect(refused).toMatchObject({ code: 'queue_unavailable', status: 503, retryAfterS: 1 });
  return performance.now() - startedAt;
}

describeQueues('a network that breaks', (site) => {
  let proxy: FaultProxy;
  let broken: Site;
  beforeEach(async () => {
    proxy = await startFaultProxy(site().queueUrl);
    broken = { ...site(), queueUrl: proxy.url, ackDeadlineMs: DEADLINE_MS };
  });
  afterEach(async () => {
    await site().lifecycle.stop(10_000);
    await proxy.close();
  });

  it('refuses by the deadline when nothing comes back, then at once, and recovers by itself', async () => {
    const producer = await openProducer(broken);
    await producer.enqueue(0, scansOf(1));
    proxy.goSilent();
    expect(await refusalMs(producer)).toBeLessThan(DEADLINE_MS + SLACK_MS);
    expect(producer.isUp()).toBe(false);
    expect(await refusalMs(producer)).toBeLessThan(100);
    await proxy.open();
    await until('it is up again', () => producer.isUp());
    await producer.enqueue(0, scansOf(1));
    expect(site().messages()).toContain('the queue does not confirm, refusing scans');
  });

  it('recovers on new connections when the old ones stay in the black hole', async () => {
    const producer = await openProducer(broken);
    await producer.enqueue(0, scansOf(1));
    proxy.goSilent();
    await refusalMs(producer);
    const before = proxy.connections();
    await proxy.close();
    await proxy.open();
    await until('it is up again', () => producer.isUp());
    expect(proxy.connections()).toBeGreaterThan(before);
    await producer.enqueue(0, scansOf(1));
  });

  it('starts while the queue is away, refuses, and is up when it comes', async () => {
    await proxy.close();
    const producer = await openProducer(broken);
    expect(producer.isUp()).toBe(false);
    expect(await refusalMs(producer)).toBeLessThan(100);
    await proxy.open();
    await until('it is up', () => producer.isUp());
    await producer.enqueue(0, scansOf(1));
  });

  it('closes in time while the queue is silent', async () => {
    const producer = await openProducer(broken);
    proxy.goSilent();
    const adding = refusalMs(producer);
    const startedAt = performance.now();
    await site().lifecycle.stop(10_000);
    expect(performance.now() - startedAt).toBeLessThan(4 * DEADLINE_MS + SLACK_MS);
    await adding;
    expect(producer.isUp()).toBe(false);
  });

  it('says that it does not know the backlog, in time', async () => {
    const reader = openBacklog({ ...broken, timeoutMs: DEADLINE_MS });
    await reader.read();
    proxy.goSilent();
    const startedAt = performance.now();
    await expect(reader.read()).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS + SLACK_MS);
    await proxy.open();
    await until('it knows again', async () => (await reader.read()).length === 2);
  });

  it('lets a worker wait for a queue that comes later, and go on after one that went', async () => {
    await proxy.close();
    const producer = await openProducer(site());
    const { consumer, got } = collect(broken);
    consumer.start();
    await producer.enqueue(0, scansOf(1));
    await proxy.open();
    await until('the first job arrives', () => got.length === 1, 15_000);
    await proxy.close();
    await producer.enqueue(0, scansOf(1));
    await proxy.open();
    // the first job's completion may have been lost with the connection: it runs again then
    const lane0 = lane0Of(site());
    await until('both are done', async () => (await lane0()).scans === 0, 20_000);
    expect(new Set(got.map((job) => job.batchId)).size).toBe(2);
    expect(await lane0()).toMatchObject({ ...EMPTY, jobsEnqueued: 2 });
  });

  it('lets a worker find out of a black hole by itself', { timeout: 60_000 }, async () => {
    const producer = await openProducer(site());
    const { consumer, got } = collect(broken);
    consumer.start();
    await producer.enqueue(0, scansOf(1));
    await until('the first job arrives', () => got.length === 1, 15_000);
    proxy.goSilent();
    await producer.enqueue(0, scansOf(1));
    await proxy.open();
    const lane0 = lane0Of(site());
    await until('all is done', async () => (await lane0()).scans === 0, 40_000);
    expect(new Set(got.map((job) => job.batchId)).size).toBe(2);
  });
});

describe.skipIf(!redisAvailable)('a Redis server that breaks', () => {
  let redis: TestRedis;
  let site: Site;
  beforeEach(async () => {
    redis = await startRedis();
    site = { ...(await openSite(redis.url)), ackDeadlineMs: DEADLINE_MS };
  });
  afterEach(async () => {
    redis.signal('SIGCONT');
    await site.lifecycle.stop(10_000);
    await redis.stop();
  });

  it('is refused by the deadline while it is stopped, and recovers when it goes on', async () => {
    const producer = await openProducer(site);
    await producer.enqueue(0, scansOf(1));
    redis.signal('SIGSTOP');
    expect(await refusalMs(producer)).toBeLessThan(DEADLINE_MS + SLACK_MS);
    expect(await refusalMs(producer)).toBeLessThan(100);
    redis.signal('SIGCONT');
    await until('it is up again', () => producer.isUp());
    await producer.enqueue(0, scansOf(1));
  });

  it('keeps every acked job through kill -9, and the count of jobs ever enqueued', async () => {
    const producer = await openProducer(site);
    const acked: string[] = [];
    const pushUntilRefused = async () => {
      for (;;) {
        const ack = await producer.enqueue(0, scansOf(3)).catch(() => undefined);
        if (!ack) return;
        acked.push(ack.batchId);
        if (acked.length === 200) redis.signal('SIGKILL');
      }
    };
    await Promise.all([pushUntilRefused(), pushUntilRefused()]);
    await redis.restart();
    await until('it is up again', () => producer.isUp());
    acked.push((await producer.enqueue(0, scansOf(3))).batchId);
    const { consumer, got } = collect(site);
    consumer.start();
    const lane0 = lane0Of(site);
    await until('the lane is empty', async () => got.length >= acked.length && (await lane0()).scans === 0);
    const stored = new Set(got.map((job) => job.batchId));
    expect(acked.filter((batchId) => !stored.has(batchId))).toEqual([]);
    expect((await lane0()).jobsEnqueued).toBe(stored.size);
  });

  it('is refused when it is full, and taken again when it is not', async () => {
    const producer = await openProducer(site);
    await producer.enqueue(0, scansOf(1));
    const link = new Redis(redis.url);
    try {
      await link.config('SET', 'maxmemory', '1');
      await refusalMs(producer);
      await link.config('SET', 'maxmemory', '0');
      const taken = await until('it is taken', () => producer.enqueue(0, scansOf(1)));
      expect(taken.jobId).toBe('2');
    } finally {
      link.disconnect();
    }
  });
});
