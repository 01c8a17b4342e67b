import { once } from 'node:events';
import { expect, test } from 'vitest';
import { probes } from '../../src/platform/http-common.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { type LaneConsumer, openConsumer } from '../../src/queue/consumer.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { LaneProgress, watchProgress } from '../../workers/lane-progress.ts';
import { until } from '../support/until.ts';
import { describeQueues, type Site, scansOf } from './queue-backends.ts';

const STUCK_MS = 1_500;

/** What a worker process answers to a liveness probe, with the given consumer of lane 0. */
function watch(site: Site, consumer: LaneConsumer) {
  const backlog = openBacklog({ ...site, timeoutMs: 1_000 });
  const progress = new LaneProgress({ consumers: new Map([[0, consumer]]), backlog, stuckMs: STUCK_MS });
  watchProgress(progress, site.lifecycle);
  const app = probes({ ready: () => true, live: () => progress.live(), metrics: () => Promise.resolve('') });
  return { progress, healthz: async () => app.request('/healthz') };
}

/** A consumer whose jobs never end, as in `queue-hung-worker.ts`. */
function openHung(site: Site, onJob: () => void = () => {}): LaneConsumer {
  return openConsumer({
    ...site,
    lane: 0,
    concurrency: 2,
    lockMs: 5_000,
    stallCheckMs: 1_000,
    handle: () => {
      onJob();
      return new Promise(() => {});
    },
  });
}

describeQueues('the liveness of a worker', (site) => {
  test('idle: live, longer than the time', async () => {
    const consumer = openHung(site());
    consumer.start();
    const { healthz } = watch(site(), consumer);
    const startedAt = performance.now();
    await until(
      'three times the time has passed',
      async () => {
        expect((await healthz()).status).toBe(200);
        return performance.now() - startedAt > 3 * STUCK_MS;
      },
      20_000,
    );
  });

  test('a consumer that took a job and hangs: 503 with what hangs', async () => {
    const consumer = openHung(site());
    consumer.start();
    const { healthz } = watch(site(), consumer);
    const producer = await openProducer(site());
    await producer.enqueue(0, scansOf(3));
    const reply = await until(
      'the probe fails',
      async () => {
        const answer = await healthz();
        return answer.status === 503 && answer;
      },
      20_000,
    );
    expect(await reply.json()).toMatchObject({ status: 'stuck', detail: expect.stringContaining('lane 0 is stuck') });
  });

  test('a consumer that is connected and takes nothing while jobs wait: 503', async () => {
    const consumer = openHung(site()); // never started
    const { healthz } = watch(site(), consumer);
    const producer = await openProducer(site());
    await producer.enqueue(0, scansOf(3));
    const reply = await until(
      'the probe fails',
      async () => {
        const answer = await healthz();
        return answer.status === 503 && answer;
      },
      20_000,
    );
    expect(await reply.text()).toContain('jobs wait and none is taken');
  });

  test('a consumer that holds its jobs and keeps trying: live', async () => {
    const held = new EventTarget();
    const consumer = openHung(site(), () => held.dispatchEvent(new Event('job')));
    const { progress, healthz } = watch(site(), consumer);
    const gotOne = once(held, 'job');
    consumer.start();
    await (await openProducer(site())).enqueue(0, scansOf(3));
    await gotOne;
    const startedAt = performance.now();
    await until(
      'three times the time has passed',
      async () => {
        progress.note(0);
        expect((await healthz()).status).toBe(200);
        return performance.now() - startedAt > 3 * STUCK_MS;
      },
      20_000,
    );
  });
});
