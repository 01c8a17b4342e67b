import { afterEach, beforeEach, expect, test } from 'vitest';
import { staticDirectory } from '../../src/directory/follower.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { type Autoscale, createAutoscale } from '../../src/ops/autoscale.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { decodeBatch } from '../../src/queue/codec.ts';
import { openConsumer } from '../../src/queue/consumer.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { ADMIN_KEY, startControlPlane } from '../support/control-plane.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { problemOf } from '../support/replies.ts';
import { startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';
import { describeQueues, type Site, scansOf } from './queue-backends.ts';

const RATE_PER_S = 10;
const TARGET_S = 5;

function openAutoscale({ logger, lifecycle, ...site }: Site, { snapshot }: TwoNodes): Autoscale {
  return createAutoscale({
    follower: staticDirectory(snapshot),
    backlog: openBacklog({ ...site, logger, lifecycle, timeoutMs: 1_000 }),
    nodes: openReadNodes({ poolSize: 2, timeoutMs: 1_000, logger, lifecycle }),
    ratePerS: RATE_PER_S,
    targetS: TARGET_S,
  });
}

describeQueues('the number of workers that there should be', (site) => {
  let two: TwoNodes;
  let producer: LaneProducer;
  let autoscale: Autoscale;
  beforeEach(async () => {
    two = await startTwoNodes(site());
    producer = await openProducer(site());
    autoscale = openAutoscale(site(), two);
  });
  afterEach(async () => {
    await site().lifecycle.stop(10_000);
    await two.stop();
  });

  const laneOfSkier = ({ skierId }: Scan) => laneOf(shardOf(skierId, two.snapshot.shardCount), two.snapshot.laneCount);
  async function post(scans: Scan[]): Promise<void> {
    for (const [lane, ofLane] of Map.groupBy(scans, laneOfSkier)) await producer.enqueue(lane, ofLane);
  }
  const work = async () => {
    const consumers = [0, 1].map((lane) =>
      openConsumer({
        ...site(),
        lane,
        concurrency: 4,
        lockMs: 5_000,
        stallCheckMs: 2_000,
        handle: ({ data, jobId }) => two.store(lane, decodeBatch(data), jobId),
      }),
    );
    for (const consumer of consumers) consumer.start();
    await until('the lanes are empty', async () => (await autoscale.read()).backlogScans === 0);
    await Promise.all(consumers.map((consumer) => consumer.drain(5_000)));
  };

  test('one when there is nothing to do', async () => {
    expect(await autoscale.read()).toEqual({
      workers: 1,
      needed: 0,
      backlogScans: 0,
      backlogS: 0,
      inflowPerS: 0,
      ratePerS: RATE_PER_S,
      targetS: TARGET_S,
      waitingForNodes: [],
    });
  });

  test('so many that what waits is stored in time, beside what comes in; and still so many for what came in', async () => {
    await post(scansOf(240));
    // 240 in the last minute are 4 a second; 240 in 5 s by workers that store 10 in a second are 4.8
    expect(await autoscale.read()).toMatchObject({
      workers: 6,
      needed: 5.2,
      backlogScans: 240,
      backlogS: 24,
      inflowPerS: 4,
    });
    await work();
    expect(await autoscale.read()).toMatchObject({ workers: 1, needed: 0.4, backlogScans: 0, inflowPerS: 4 });
  });

  test('what waits for a node that is away is no reason for more', async () => {
    await post(scansOf(240));
    const { backlogScans } = await autoscale.read();
    expect(backlogScans).toBe(240);
    await two.proxies.get(2)?.close();
    const found = await autoscale.read();
    expect(found.waitingForNodes).toHaveLength(1);
    expect(found.backlogScans).toBeGreaterThan(0);
    expect(found.backlogScans).toBeLessThan(backlogScans);
    expect(found.workers).toBeLessThan(6);
  });
});

test('without a queue there is no number, and without the admin key no answer', async () => {
  const plane = await startControlPlane();
  const queue = { queueUrl: 'redis://127.0.0.1:1', queuePrefix: 't', laneCount: 2, timeoutMs: 500 };
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const autoscale = createAutoscale({
    follower: plane.follower,
    backlog: openBacklog({ ...queue, logger, lifecycle }),
    nodes: openReadNodes({ poolSize: 1, timeoutMs: 500, logger, lifecycle }),
    ratePerS: RATE_PER_S,
    targetS: TARGET_S,
  });
  await expect(autoscale.read()).rejects.toMatchObject({ code: 'queue_unavailable' });
  expect(await problemOf(await plane.ask('GET', '/ops/autoscale', { authorization: null }))).toEqual([
    401,
    'unauthorized',
  ]);
  expect(await problemOf(await plane.ask('GET', '/ops/autoscale', { authorization: `Bearer x${ADMIN_KEY}` }))).toEqual([
    401,
    'unauthorized',
  ]);
  await lifecycle.stop(5_000);
  await plane.stop();
});
