import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openLink } from '../../src/queue/backend.ts';
import type { LaneBacklog } from '../../src/queue/backlog.ts';
import { type BacklogReader, openBacklog } from '../../src/queue/backlog-reader.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { startSweeper } from '../../src/queue/sweeper.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { redisAvailable } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { backends, collect, openSite, type Site, scansOf, type TestQueue } from './queue-backends.ts';

const EMPTY = {
  waitingJobs: 0,
  activeJobs: 0,
  delayedJobs: 0,
  failedJobs: 0,
  scans: 0,
  oldestAcceptedAt: null,
  exact: true,
};

describe.each(backends)('lanes on $name', ({ name, start }) => {
  let server: TestQueue;
  let site: Site;
  const log = recordedLog();
  const available = name !== 'Redis' || redisAvailable;

  beforeAll(async () => {
    if (available) server = await start();
  });
  afterAll(async () => {
    await server?.stop();
  });
  beforeEach(async (test) => {
    if (!available) return test.skip();
    site = await openSite(server.queueUrl, log.logger);
  });
  afterEach(() => site?.lifecycle.stop(10_000));

  const openTestLink = async () => {
    const link = openLink({ ...site, timeoutMs: 2_000, connections: 1 });
    site.lifecycle.onStop('link', () => link.close());
    await link.ready();
    return link;
  };
  const openReader = (): BacklogReader => openBacklog({ ...site, timeoutMs: 2_000 });
  const lane0 = async (reader: BacklogReader) => (await reader.read())[0] as LaneBacklog;

  it('carries scans from the producer to the consumer, whole and in order, with the time of the server', async () => {
    const producer = await openProducer(site);
    const link = await openTestLink();
    const first = scansOf(3);
    const before = await link.serverTimeMs();
    const acked = await producer.enqueue(0, first);
    const after = await link.serverTimeMs();
    expect(acked.acceptedAt).toBeGreaterThanOrEqual(Math.floor(before) - 50);
    expect(acked.acceptedAt).toBeLessThanOrEqual(after + 50);
    const second = await producer.enqueue(0, scansOf(500));
    await producer.enqueue(1, scansOf(1));
    const { consumer, got } = collect(site);
    consumer.start();
    await until('both jobs of lane 0 arrive', () => got.length === 2);
    expect(got[0]).toEqual({ ...acked, scans: first });
    expect(got[1]?.batchId).toBe(second.batchId);
    expect(got[1]?.scans).toHaveLength(500);
    const reader = openReader();
    await until('the lane is empty', async () => (await lane0(reader)).activeJobs === 0);
    expect((await reader.read()).map((lane) => ({ ...lane, takenAt: 0, oldestAcceptedAt: null }))).toEqual([
      { ...EMPTY, lane: 0, takenAt: 0, jobsEnqueued: 2 },
      { ...EMPTY, lane: 1, takenAt: 0, jobsEnqueued: 1, waitingJobs: 1, scans: 1 },
    ]);
  });

  it('keeps the acceptedAt of a part that goes back, under an id of its own', async () => {
    const producer = await openProducer(site);
    const parent = { batchId: '018f0000-0000-7000-8000-000000000001', acceptedAt: 1_700_000_000_123 };
    const part = await producer.enqueue(0, scansOf(2), parent);
    expect(part.acceptedAt).toBe(parent.acceptedAt);
    expect(part.batchId).not.toBe(parent.batchId);
    await producer.enqueue(0, scansOf(1));
    expect(await lane0(openReader())).toMatchObject({
      waitingJobs: 2,
      scans: 3,
      oldestAcceptedAt: parent.acceptedAt,
      exact: true,
    });
    const { consumer, got } = collect(site);
    consumer.start();
    await until('it arrives', () => got.length === 2);
    expect(got[0]).toMatchObject({ parentBatchId: parent.batchId, acceptedAt: parent.acceptedAt });
  });

  it('never hands more than it may to a consumer at once, and reports progress', async () => {
    const producer = await openProducer(site);
    for (let i = 0; i < 12; i++) await producer.enqueue(0, scansOf(1));
    let running = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    const { consumer, got } = collect(site, {
      async handle() {
        running += 1;
        most = Math.max(most, running);
        await gate.promise;
        running -= 1;
      },
    });
    const startedAt = Date.now();
    consumer.start();
    await until('its hands are full', () => consumer.jobsInHand() === 4);
    const reader = openReader();
    expect(await lane0(reader)).toMatchObject({ waitingJobs: 8, activeJobs: 4, scans: 12 });
    gate.resolve();
    await until('all are done', () => got.length === 12 && consumer.jobsInHand() === 0);
    expect(most).toBe(4);
    expect(consumer.lastProgressAt()).toBeGreaterThanOrEqual(startedAt);
    await until('the lane is empty', async () => (await lane0(reader)).activeJobs === 0);
    expect(await lane0(reader)).toMatchObject({ ...EMPTY, jobsEnqueued: 12 });
  });

  it('drains: finishes what it has in hand, takes nothing new', async () => {
    const producer = await openProducer(site);
    for (let i = 0; i < 6; i++) await producer.enqueue(0, scansOf(1));
    const gate = Promise.withResolvers<void>();
    const { consumer, got } = collect(site, { handle: () => gate.promise });
    consumer.start();
    await until('its hands are full', () => consumer.jobsInHand() === 4);
    const drained = consumer.drain(10_000);
    gate.resolve();
    await drained;
    expect(got).toHaveLength(4);
    expect(await lane0(openReader())).toMatchObject({ waitingJobs: 2, activeJobs: 0, failedJobs: 0 });
  });

  it('gives back at the deadline what a handler still holds, and another worker has it at once', async () => {
    const producer = await openProducer(site);
    const acked = await producer.enqueue(0, scansOf(2));
    // a node is away: the handler holds its job until it is told to let go
    const holding = collect(site, {
      lockMs: 60_000,
      handle: ({ signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    });
    holding.consumer.start();
    await until('it holds the job', () => holding.consumer.jobsInHand() === 1);
    const startedAt = performance.now();
    await holding.consumer.drain(2_000);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    const reader = openReader();
    expect(await lane0(reader)).toMatchObject({ waitingJobs: 1, activeJobs: 0, failedJobs: 0, jobsEnqueued: 1 });
    const next = collect(site);
    next.consumer.start();
    await until('the next worker has it', () => next.got.length === 1, 3_000);
    expect(next.got[0]).toMatchObject({ batchId: acked.batchId, jobId: acked.jobId });
  });

  it('closes in time although a handler never lets go', async () => {
    const producer = await openProducer(site);
    await producer.enqueue(0, scansOf(1));
    const { consumer } = collect(site, { handle: () => new Promise(() => {}) });
    consumer.start();
    await until('it holds the job', () => consumer.jobsInHand() === 1);
    const startedAt = performance.now();
    await consumer.drain(1_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(await lane0(openReader())).toMatchObject({ waitingJobs: 1, activeJobs: 0 });
  });

  it('sweeps failed jobs back into the lane, as the same jobs', async () => {
    const producer = await openProducer(site);
    const acked = await producer.enqueue(0, scansOf(2));
    let attempts = 0;
    const { consumer, got } = collect(site, {
      async handle() {
        attempts += 1;
        if (attempts < 3) throw new Error('not yet');
      },
    });
    consumer.start();
    const reader = openReader();
    const sweeper = startSweeper({ ...site, lanes: [0, 1], everyMs: 60_000 });
    for (const failures of [1, 2]) {
      await until('it failed', async () => (await lane0(reader)).failedJobs === 1);
      expect(await lane0(reader)).toMatchObject({ scans: 2, oldestAcceptedAt: acked.acceptedAt, waitingJobs: 0 });
      expect(got).toHaveLength(failures);
      expect(await sweeper.sweep()).toBe(1);
    }
    await until('it is done', async () => got.length === 3 && (await lane0(reader)).activeJobs === 0);
    expect(new Set(got.map((job) => job.batchId))).toEqual(new Set([acked.batchId]));
    expect(await lane0(reader)).toMatchObject({ ...EMPTY, jobsEnqueued: 1 });
    expect(await sweeper.sweep()).toBe(0);
  });

  it('sweeps by itself', async () => {
    const producer = await openProducer(site);
    await producer.enqueue(0, scansOf(1));
    let attempts = 0;
    const { consumer, got } = collect(site, {
      async handle() {
        attempts += 1;
        if (attempts === 1) throw new Error('once');
      },
    });
    startSweeper({ ...site, lanes: [0], everyMs: 50 });
    consumer.start();
    await until('it came again', () => got.length === 2);
  });

  it('is not upset by two sweepers and an empty lane', async () => {
    const producer = await openProducer(site);
    for (let i = 0; i < 5; i++) await producer.enqueue(0, scansOf(1));
    const { consumer } = collect(site, { handle: () => Promise.reject(new Error('no')) });
    consumer.start();
    const reader = openReader();
    await until('all failed', async () => (await lane0(reader)).failedJobs === 5);
    await consumer.drain(2_000);
    const sweepers = [1, 2].map(() => startSweeper({ ...site, lanes: [0, 1], everyMs: 60_000 }));
    const swept = await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
    expect((swept[0] as number) + (swept[1] as number)).toBe(5);
    expect(await lane0(reader)).toMatchObject({ waitingJobs: 5, failedJobs: 0, jobsEnqueued: 5 });
  });

  it('counts a deep lane without reading all of it, and says so', async () => {
    const producer = await openProducer(site);
    const link = await openTestLink();
    const old = await producer.enqueue(0, scansOf(2), {
      batchId: '018f0000-0000-7000-8000-000000000001',
      acceptedAt: 5,
    });
    for (let i = 0; i < 11; i++) {
      await link
        .queue(0)
        .addBulk(Array.from({ length: 100 }, () => ({ name: '2', data: {}, opts: { timestamp: 1_000 } })));
    }
    const reader = openReader();
    expect(await lane0(reader)).toMatchObject({
      waitingJobs: 1_101,
      scans: 2_202,
      exact: false,
      oldestAcceptedAt: old.acceptedAt,
      jobsEnqueued: 1_101,
    });
  });

  it('tells its oldest job wherever it waits', async () => {
    const producer = await openProducer(site);
    const held = await producer.enqueue(0, scansOf(1), {
      batchId: '018f0000-0000-7000-8000-000000000001',
      acceptedAt: 77,
    });
    const { consumer } = collect(site, { handle: () => new Promise(() => {}) });
    consumer.start();
    await until('it is in hand', () => consumer.jobsInHand() === 1);
    expect(await lane0(openReader())).toMatchObject({ activeJobs: 1, oldestAcceptedAt: held.acceptedAt });
    await producer.enqueue(1, scansOf(1), { batchId: '018f0000-0000-7000-8000-000000000001', acceptedAt: 99 });
    expect((await openReader().read())[1]).toMatchObject({ waitingJobs: 1, oldestAcceptedAt: 99 });
  });

  it('refuses a job of no scans or of too many before it asks the queue', async () => {
    const producer = await openProducer(site);
    await expect(producer.enqueue(0, [])).rejects.toThrow(RangeError);
    await expect(producer.enqueue(0, scansOf(501))).rejects.toThrow(RangeError);
  });

  it('keeps the event stream short', async () => {
    const producer = await openProducer(site);
    for (let i = 0; i < 400; i++) await producer.enqueue(0, scansOf(1));
    const link = await openTestLink();
    const events =
      link.kind === 'redis'
        ? await link.redis.xlen(`{${site.queuePrefix}:0}:lane-0:events`)
        : Number((await link.pool.query<{ n: string }>('SELECT count(*) AS n FROM event')).rows[0]?.n);
    expect(events).toBeLessThan(500);
  });
});
