import { expect, it } from 'vitest';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { until } from '../support/until.ts';
import { collect, describeQueues, EMPTY, lane0Of, openTestLink, scansOf } from './queue-backends.ts';

describeQueues(
  'the backlog',
  (site) => {
    it('counts a deep lane without reading all of it, and says so', async () => {
      const producer = await openProducer(site());
      const link = await openTestLink(site());
      const old = await producer.enqueue(0, scansOf(2), {
        batchId: '018f0000-0000-7000-8000-000000000001',
        acceptedAt: 5,
      });
      for (let i = 0; i < 11; i++) {
        await link
          .queue(0)
          .addBulk(Array.from({ length: 100 }, () => ({ name: '2', data: {}, opts: { timestamp: 1_000 } })));
      }
      const lane0 = lane0Of(site());
      expect(await lane0()).toMatchObject({
        waitingJobs: 1_101,
        scans: 2_202,
        exact: false,
        oldestAcceptedAt: old.acceptedAt,
        jobsEnqueued: 1_101,
      });
    });

    it('tells its oldest job wherever it waits', async () => {
      const producer = await openProducer(site());
      const held = await producer.enqueue(0, scansOf(1), {
        batchId: '018f0000-0000-7000-8000-000000000001',
        acceptedAt: 77,
      });
      const { consumer } = collect(site(), { handle: () => new Promise(() => {}) });
      consumer.start();
      await until('it is in hand', () => consumer.jobsInHand() === 1);
      expect(await lane0Of(site())()).toMatchObject({ activeJobs: 1, oldestAcceptedAt: held.acceptedAt });
      await producer.enqueue(1, scansOf(1), { batchId: '018f0000-0000-7000-8000-000000000001', acceptedAt: 99 });
      const reader = openBacklog({ ...site(), timeoutMs: 2_000 });
      expect(await reader.read()).toMatchObject([
        { lane: 0, activeJobs: 1 },
        { lane: 1, waitingJobs: 1, oldestAcceptedAt: 99 },
      ]);
    });

    it('tells the time of the server at the look', async () => {
      const producer = await openProducer(site());
      const lane0 = lane0Of(site());
      const before = await lane0();
      expect(before).toMatchObject({ ...EMPTY, jobsEnqueued: 0 });
      const { acceptedAt } = await producer.enqueue(0, scansOf(1));
      expect(acceptedAt).toBeGreaterThanOrEqual(before.takenAt - 50);
      expect((await lane0()).takenAt).toBeGreaterThanOrEqual(acceptedAt - 50);
    });
  },
  { onCluster: true },
);
