import { expect, it } from 'vitest';
import { openCompleteUntil } from '../../src/queue/complete-until.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { startSweeper } from '../../src/queue/sweeper.ts';
import { until } from '../support/until.ts';
import { collect, describeQueues, lane0Of, openTestLink, type Site, scansOf } from './queue-backends.ts';

const look = (site: Site): ((lane: number) => Promise<number | undefined>) => {
  const complete = openCompleteUntil({ ...site, queueReplicas: 0, timeoutMs: 2_000 });
  return (lane) => complete.read(lane);
};
/** Jobs of one look; the lane must be deeper. */
const TOO_DEEP = 2_001;

describeQueues(
  'what a lane is complete until',
  (site) => {
    it('is the time of an empty lane', async () => {
      const link = await openTestLink(site());
      const before = await link.serverTimeMs();
      const complete = await look(site())(0);
      expect(complete).toBeGreaterThanOrEqual(Math.floor(before));
      expect(complete).toBeLessThanOrEqual(await link.serverTimeMs());
    });

    it('stays before a job as long as that waits, runs, has failed or went back; and passes its ack when it is done', async () => {
      const producer = await openProducer(site());
      const link = await openTestLink(site());
      await link.ready(1);
      const before = await link.serverTimeMs(1);
      const { acceptedAt, confirmedAt } = await producer.enqueue(0, scansOf(2));
      const read = look(site());
      expect(await read(0)).toBeLessThan(acceptedAt);
      // the stamp may be some milliseconds ahead of the lane's time
      await until('the stamp is past', async () => (await read(0)) === acceptedAt - 1);
      expect(await read(1)).toBeGreaterThanOrEqual(Math.floor(before));

      const release = Promise.withResolvers<void>();
      let attempts = 0;
      const { consumer } = collect(site(), {
        async handle() {
          attempts += 1;
          if (attempts === 1) throw new Error('it fails once');
          await release.promise;
        },
      });
      consumer.start();
      const lane0 = lane0Of(site());
      await until('it has failed', async () => (await lane0()).failedJobs === 1);
      expect(await read(0)).toBe(acceptedAt - 1);
      await startSweeper({ ...site(), lanes: [0], everyMs: 60_000 }).sweep();
      await until('it runs', async () => (await lane0()).activeJobs === 1);
      expect(await read(0)).toBe(acceptedAt - 1);
      release.resolve();
      await until('it is done', async () => (await lane0()).activeJobs === 0);
      await until('the ack is passed', async () => ((await read(0)) ?? 0) >= confirmedAt);
    });

    it('is an ack that comes later, whatever the clock says: a clock that was set back stands still', async () => {
      const link = await openTestLink(site());
      const ahead = Math.floor(await link.serverTimeMs()) + 60_000;
      if (link.kind === 'redis') await link.redis(0).set(link.clockKey(0), String(ahead));
      else await link.pool.query('UPDATE liftline_clock SET mark_ms = $1', [ahead]);
      const producer = await openProducer(site());
      const read = look(site());
      expect(await read(0)).toBe(ahead);
      const { confirmedAt } = await producer.enqueue(0, scansOf(1));
      expect(confirmedAt).toBeGreaterThan(ahead);
      expect(await read(0)).toBeLessThanOrEqual(ahead);
      expect(await link.serverTimeMs()).toBe(ahead);
    });

    it('is not known of a lane that is too deep to look at each job', async () => {
      const link = await openTestLink(site());
      const producer = await openProducer(site());
      const { acceptedAt } = await producer.enqueue(0, scansOf(1));
      const read = look(site());
      const jobs = Array.from({ length: TOO_DEEP - 1 }, () => ({
        name: '1',
        data: {},
        opts: { timestamp: acceptedAt },
      }));
      await link.queue(0).addBulk(jobs.slice(1));
      expect(await read(0)).toBe(acceptedAt - 1);
      await link.queue(0).addBulk(jobs.slice(0, 1));
      expect(await read(0)).toBeUndefined();
    });

    it('fails in time while the queue is away', async () => {
      const away = { ...site(), queueUrl: site().queueUrl.replaceAll(/:\d+/g, ':1') };
      await expect(look(away)(0)).rejects.toBeInstanceOf(Error);
    });
  },
  { onCluster: true },
);
