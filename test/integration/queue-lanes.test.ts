import { expect, it } from 'vitest';
import { openProducer } from '../../src/queue/producer.ts';
import { until } from '../support/until.ts';
import { collect, describeQueues, EMPTY, lane0Of, openTestLink, scansOf } from './queue-backends.ts';

describeQueues(
  'lanes',
  (site) => {
    it('carries scans from the producer to the consumer, whole and in order, with the time of the server', async () => {
      const producer = await openProducer(site());
      const link = await openTestLink(site());
      const first = scansOf(3);
      const before = await link.serverTimeMs();
      const acked = await producer.enqueue(0, first);
      const after = await link.serverTimeMs();
      expect(acked.acceptedAt).toBeGreaterThanOrEqual(Math.floor(before) - 50);
      expect(acked.acceptedAt).toBeLessThanOrEqual(after + 50);
      // rounded up: it is past any time that was told before the add
      expect(acked.confirmedAt).toBeGreaterThan(before);
      // an edge's own idea of that time may run ahead; what it says is not before the job's stamp
      expect(acked.confirmedAt).toBeLessThanOrEqual(Math.max(Math.floor(after) + 1, acked.acceptedAt));
      expect(acked.confirmedAt).toBeGreaterThanOrEqual(acked.acceptedAt);
      const second = await producer.enqueue(0, scansOf(500));
      const { consumer, got } = collect(site());
      consumer.start();
      await until('both jobs of lane 0 arrive', () => got.length === 2);
      const { batchId, acceptedAt, jobId } = acked;
      expect(got[0]).toEqual({ batchId, acceptedAt, jobId, scans: first });
      expect(got[1]?.batchId).toBe(second.batchId);
      expect(got[1]?.scans).toHaveLength(500);
      const lane0 = lane0Of(site());
      await until('both are done', async () => (await lane0()).activeJobs === 0);
      expect(await lane0()).toMatchObject({ ...EMPTY, lane: 0, jobsEnqueued: 2 });
    });

    it('keeps the acceptedAt of a part that goes back, under an id of its own', async () => {
      const producer = await openProducer(site());
      const parent = { batchId: '018f0000-0000-7000-8000-000000000001', acceptedAt: 1_700_000_000_123 };
      const part = await producer.enqueue(0, scansOf(2), parent);
      expect(part.acceptedAt).toBe(parent.acceptedAt);
      expect(part.batchId).not.toBe(parent.batchId);
      await producer.enqueue(0, scansOf(1));
      expect(await lane0Of(site())()).toMatchObject({
        waitingJobs: 2,
        scans: 3,
        oldestAcceptedAt: parent.acceptedAt,
        exact: true,
      });
      const { consumer, got } = collect(site());
      consumer.start();
      await until('it arrives', () => got.length === 2);
      expect(got[0]).toMatchObject({ parentBatchId: parent.batchId, acceptedAt: parent.acceptedAt });
    });

    it('never hands more than it may to a consumer at once, and reports progress', async () => {
      const producer = await openProducer(site());
      for (let i = 0; i < 12; i++) await producer.enqueue(0, scansOf(1));
      let running = 0;
      let most = 0;
      const gate = Promise.withResolvers<void>();
      const { consumer, got } = collect(site(), {
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
      const lane0 = lane0Of(site());
      expect(await lane0()).toMatchObject({ waitingJobs: 8, activeJobs: 4, scans: 12 });
      gate.resolve();
      await until('all are done', () => got.length === 12 && consumer.jobsInHand() === 0);
      expect(most).toBe(4);
      expect(consumer.lastProgressAt()).toBeGreaterThanOrEqual(startedAt);
      await until('the lane is empty', async () => (await lane0()).activeJobs === 0);
      expect(await lane0()).toMatchObject({ ...EMPTY, jobsEnqueued: 12 });
    });

    it('drains: finishes what it has in hand, takes nothing new', async () => {
      const producer = await openProducer(site());
      for (let i = 0; i < 6; i++) await producer.enqueue(0, scansOf(1));
      const gate = Promise.withResolvers<void>();
      const { consumer, got } = collect(site(), { handle: () => gate.promise });
      consumer.start();
      await until('its hands are full', () => consumer.jobsInHand() === 4);
      const drained = consumer.drain(10_000);
      gate.resolve();
      await drained;
      expect(got).toHaveLength(4);
      expect(await lane0Of(site())()).toMatchObject({ waitingJobs: 2, activeJobs: 0, failedJobs: 0 });
    });

    it('gives back at the deadline what a handler still holds, and another worker has it at once', async () => {
      const producer = await openProducer(site());
      const acked = await producer.enqueue(0, scansOf(2));
      // a node is away: the handler holds its job until it is told to let go
      const holding = collect(site(), {
        lockMs: 60_000,
        handle: ({ signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      });
      holding.consumer.start();
      await until('it holds the job', () => holding.consumer.jobsInHand() === 1);
      const startedAt = performance.now();
      await holding.consumer.drain(2_000);
      expect(performance.now() - startedAt).toBeLessThan(2_500);
      const lane0 = lane0Of(site());
      expect(await lane0()).toMatchObject({ waitingJobs: 1, activeJobs: 0, failedJobs: 0, jobsEnqueued: 1 });
      const next = collect(site());
      next.consumer.start();
      await until('the next worker has it', () => next.got.length === 1, 3_000);
      expect(next.got[0]).toMatchObject({ batchId: acked.batchId, jobId: acked.jobId });
    });

    it('closes in time although a handler never lets go', async () => {
      const producer = await openProducer(site());
      await producer.enqueue(0, scansOf(1));
      const { consumer } = collect(site(), { handle: () => new Promise(() => {}) });
      consumer.start();
      await until('it holds the job', () => consumer.jobsInHand() === 1);
      const startedAt = performance.now();
      await consumer.drain(1_000);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(await lane0Of(site())()).toMatchObject({ waitingJobs: 1, activeJobs: 0 });
    });

    it('refuses a job of no scans or of too many before it asks the queue', async () => {
      const producer = await openProducer(site());
      await expect(producer.enqueue(0, [])).rejects.toThrow(RangeError);
      await expect(producer.enqueue(0, scansOf(501))).rejects.toThrow(RangeError);
    });

    it('keeps the event stream short', async () => {
      const producer = await openProducer(site());
      for (let i = 0; i < 400; i++) await producer.enqueue(0, scansOf(1));
      const link = await openTestLink(site());
      const events =
        link.kind === 'redis'
          ? await link.redis(0).xlen(`{${site().queuePrefix}:0}:lane-0:events`)
          : Number((await link.pool.query<{ n: string }>('SELECT count(*) AS n FROM event')).rows[0]?.n);
      expect(events).toBeLessThan(500);
    });
  },
  { onCluster: true },
);
