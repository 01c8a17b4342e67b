import { expect, it } from 'vitest';
import { openProducer } from '../../src/queue/producer.ts';
import { startSweeper } from '../../src/queue/sweeper.ts';
import { until } from '../support/until.ts';
import { collect, describeQueues, EMPTY, lane0Of, scansOf } from './queue-backends.ts';

describeQueues(
  'the sweeper',
  (site) => {
    it('sweeps failed jobs back into the lane, as the same jobs', async () => {
      const producer = await openProducer(site());
      const acked = await producer.enqueue(0, scansOf(2));
      let attempts = 0;
      const { consumer, got } = collect(site(), {
        async handle() {
          attempts += 1;
          if (attempts < 3) throw new Error('not yet');
        },
      });
      consumer.start();
      const lane0 = lane0Of(site());
      const sweeper = startSweeper({ ...site(), lanes: [0, 1], everyMs: 60_000 });
      for (const failures of [1, 2]) {
        await until('it failed', async () => (await lane0()).failedJobs === 1);
        expect(await lane0()).toMatchObject({ scans: 2, oldestAcceptedAt: acked.acceptedAt, waitingJobs: 0 });
        expect(got).toHaveLength(failures);
        expect(await sweeper.sweep()).toBe(1);
      }
      await until('it is done', async () => got.length === 3 && (await lane0()).activeJobs === 0);
      expect(new Set(got.map((job) => job.batchId))).toEqual(new Set([acked.batchId]));
      expect(await lane0()).toMatchObject({ ...EMPTY, jobsEnqueued: 1 });
      expect(await sweeper.sweep()).toBe(0);
    });

    it('sweeps the earliest failures first, so that those which fail at once keep no other from it', async () => {
      const producer = await openProducer(site());
      const first = await producer.enqueue(0, scansOf(1));
      const lane0 = lane0Of(site());
      const { consumer } = collect(site(), { handle: () => Promise.reject(new Error('no')) });
      consumer.start();
      await until('the first has failed', async () => (await lane0()).failedJobs === 1);
      for (let i = 0; i < 100; i += 1) await producer.enqueue(0, scansOf(1));
      await until('all have failed', async () => (await lane0()).failedJobs === 101);
      await consumer.drain(2_000);
      expect(await startSweeper({ ...site(), lanes: [0], everyMs: 60_000 }).sweep()).toBe(100);
      const { consumer: next, got } = collect(site(), {});
      next.start();
      await until('all that were put back are done', () => got.length === 100);
      expect(got.map(({ batchId }) => batchId)).toContain(first.batchId);
    });

    it('sweeps by itself', async () => {
      const producer = await openProducer(site());
      await producer.enqueue(0, scansOf(1));
      let attempts = 0;
      const { consumer, got } = collect(site(), {
        async handle() {
          attempts += 1;
          if (attempts === 1) throw new Error('once');
        },
      });
      startSweeper({ ...site(), lanes: [0], everyMs: 50 });
      consumer.start();
      await until('it is said', () => site().messages().includes('put a failed job back'));
      await until('it came again', () => got.length === 2);
      expect(got[1]?.batchId).toBe(got[0]?.batchId);
    });

    it('is not upset by two sweepers and an empty lane', async () => {
      const producer = await openProducer(site());
      for (let i = 0; i < 5; i++) await producer.enqueue(0, scansOf(1));
      const { consumer } = collect(site(), { handle: () => Promise.reject(new Error('no')) });
      consumer.start();
      const lane0 = lane0Of(site());
      await until('all failed', async () => (await lane0()).failedJobs === 5);
      await consumer.drain(2_000);
      const sweepers = [1, 2].map(() => startSweeper({ ...site(), lanes: [0, 1], everyMs: 60_000 }));
      const swept = await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
      expect((swept[0] as number) + (swept[1] as number)).toBe(5);
      expect(await lane0()).toMatchObject({ waitingJobs: 5, failedJobs: 0, jobsEnqueued: 5 });
    });
  },
  { onCluster: true },
);
