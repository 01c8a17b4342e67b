import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHttpApp } from '../../src/cli/http-app.ts';
import { openDirectory } from '../../src/directory/database.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { createOpsApp } from '../../src/ops/app.ts';
import { createAutoscale } from '../../src/ops/autoscale.ts';
import { registerPipelineMetrics } from '../../src/ops/metrics.ts';
import { createPipeline } from '../../src/ops/pipeline.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { decodeBatch } from '../../src/queue/codec.ts';
import { openConsumer } from '../../src/queue/consumer.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { createDeadLetters, type DeadLetter } from '../../src/shards/dead-letters.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { problemOf } from '../support/replies.ts';
import { startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';
import { describeQueues, type Site, scansOf } from './queue-backends.ts';

const ADMIN_KEY = 'an-admin-key-of-the-tests';
const NOTHING = { enqueued: 0, persisted: 0, duplicate: 0, dead: 0, inFlight: 0, isBalanced: true };

interface Status {
  queue: { isUp: boolean };
  nodes: { nodeId: number; isUp: boolean; shards: number[]; deadLetters: number | null }[];
  lanes: { lane: number; jobs: number; scans: number; oldestAgeS: number | null }[] | null;
  conservation: (typeof NOTHING & { jobsUnaccounted: number | null; jobsStored: number; jobsEnqueued: number }) | null;
  shards: { shard: number; lane: number; nodeId: number }[];
}

/** The ops app on a real queue and two real nodes, as `liftline ops` puts it together. */
async function openOps(site: Site, two: TwoNodes, producer: LaneProducer) {
  const { logger, lifecycle } = site;
  const follower = staticDirectory(two.snapshot);
  const nodes = openReadNodes({ poolSize: 2, timeoutMs: 1_000, logger, lifecycle });
  const backlog = openBacklog({ ...site, timeoutMs: 1_000 });
  const pipeline = createPipeline({ follower, backlog, nodes });
  const metrics = createMetrics('ops');
  registerPipelineMetrics({ registry: metrics.registry, pipeline });
  const deadLetters = createDeadLetters({ directory: follower, nodes, enqueue: (...job) => producer.enqueue(...job) });
  const directory = openDirectory({ url: 'postgres://nobody.invalid/none', lifecycle });
  const ops = createOpsApp({
    directory,
    follower,
    deadLetters,
    pipeline,
    autoscale: createAutoscale({ follower, backlog, nodes, ratePerS: 100, targetS: 5 }),
    adminKey: ADMIN_KEY,
    skiDataApi: 'keys',
    logger,
  });
  return createHttpApp({ apps: [ops], ready: () => true, metrics, logger, pathPrefix: '' });
}

describeQueues('the pipeline, as operators see it,', (site) => {
  let two: TwoNodes;
  let producer: LaneProducer;
  let app: Awaited<ReturnType<typeof openOps>>;
  beforeEach(async () => {
    two = await startTwoNodes(site());
    producer = await openProducer(site());
    app = await openOps(site(), two, producer);
  });
  afterEach(async () => {
    await site().lifecycle.stop(10_000);
    await two.stop();
  });

  const ask = (method: string, path: string) =>
    Promise.resolve(app.request(path, { method, headers: { authorization: `Bearer ${ADMIN_KEY}` } }));
  const status = async () => (await (await ask('GET', '/ops/status')).json()) as Status;
  const letters = async () =>
    ((await (await ask('GET', '/ops/dead')).json()) as { deadLetters: (DeadLetter & { diedAt: string })[] })
      .deadLetters;
  const laneOfSkier = ({ skierId }: Scan) => laneOf(shardOf(skierId, two.snapshot.shardCount), two.snapshot.laneCount);
  async function post(scans: Scan[]): Promise<void> {
    for (const [lane, ofLane] of Map.groupBy(scans, laneOfSkier)) await producer.enqueue(lane, ofLane);
  }
  /** Stores what the lanes hold, and waits until they are empty. */
  async function work(): Promise<void> {
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
    await until('the lanes are empty', async () => (await status()).lanes?.every(({ jobs }) => jobs === 0));
    await Promise.all(consumers.map((consumer) => consumer.drain(5_000)));
  }
  async function metric(line: string): Promise<number | undefined> {
    const text = await (await ask('GET', '/metrics')).text();
    const found = text.split('\n').find((entry) => entry.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.slice(line.length + 1));
  }

  test('empty: everything is up, and every shard has its lane and node', async () => {
    const found = await status();
    expect(found.queue.isUp).toBe(true);
    expect(found.nodes.map(({ isUp, deadLetters }) => [isUp, deadLetters])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect(found.nodes.flatMap(({ shards }) => shards).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(found.shards[3]).toMatchObject({ shard: 3, lane: 1 });
    expect(found.lanes).toMatchObject([
      { lane: 0, jobs: 0, scans: 0, oldestAgeS: null },
      { lane: 1, jobs: 0, scans: 0, oldestAgeS: null },
    ]);
    expect(found.conservation).toMatchObject({ ...NOTHING, jobsUnaccounted: 0 });
  });

  test('enqueued = persisted + duplicate + dead + in flight, at every step', async () => {
    const scans = scansOf(20);
    await post(scans);
    expect((await status()).conservation).toMatchObject({ ...NOTHING, enqueued: 20, inFlight: 20 });
    await work();
    expect((await status()).conservation).toMatchObject({ ...NOTHING, enqueued: 20, persisted: 20 });
    await post(scans.slice(0, 5));
    await post(scansOf(1).map((scan) => ({ ...scan, verticalM: 99_999 })));
    await work();
    const { conservation } = await status();
    expect(conservation).toMatchObject({ ...NOTHING, enqueued: 26, persisted: 20, duplicate: 5, dead: 1 });
    expect(conservation?.jobsStored).toBe(conservation?.jobsEnqueued);
  });

  test('a job that was done without a trace is noticed', async () => {
    await post(scansOf(8));
    await work();
    for (const nodeId of two.snapshot.nodes.keys()) {
      const pool = new Pool({ connectionString: two.urlOf(nodeId), max: 1 });
      await pool.query('DELETE FROM ledger');
      await pool.end();
    }
    const { conservation } = await status();
    expect(conservation?.isBalanced).toBe(false);
    expect(conservation?.jobsUnaccounted).toBe(conservation?.jobsEnqueued);
  });

  test('dead letters: listed with their reason, shown, replayed, discarded', async () => {
    const [poison] = scansOf(1).map((scan) => ({ ...scan, verticalM: 99_999 })) as [Scan];
    await post([poison, ...scansOf(3)]);
    await work();
    const [letter] = await letters();
    expect(letter?.payload).toEqual(poison);
    expect(letter?.code).toBe('23514');
    expect(letter?.diedAt).toMatch(/^\d{4}-\d\d-\d\dT/);
    const path = `/ops/dead/${letter?.deadLetterId}`;
    expect(await (await ask('GET', path)).json()).toEqual(letter);

    expect((await ask('POST', `${path}/replay`)).status).toBe(202);
    await work();
    const again = await letters();
    expect(again.map(({ payload }) => payload)).toEqual([poison]);
    expect(again[0]?.deadLetterId).not.toBe(letter?.deadLetterId);
    expect((await status()).conservation).toMatchObject({ persisted: 3, dead: 2, inFlight: 0, isBalanced: true });

    expect((await ask('POST', `/ops/dead/${again[0]?.deadLetterId}/discard`)).status).toBe(204);
    expect(await letters()).toEqual([]);
    for (const verb of ['replay', 'discard']) {
      expect(await problemOf(await ask('POST', `${path}/${verb}`))).toEqual([404, 'not_found']);
    }
    expect(await problemOf(await ask('GET', `/ops/dead/${randomUUID()}`))).toEqual([404, 'not_found']);
    expect(await problemOf(await ask('GET', '/ops/dead/first'))).toEqual([400, 'malformed']);
    expect(await problemOf(await ask('GET', '/ops/dead?limit=0'))).toEqual([422, 'invalid']);
    expect(await problemOf(await ask('GET', '/ops/dead?limit=all'))).toEqual([400, 'malformed']);
  });

  test('the metrics say the same', async () => {
    await post(scansOf(20));
    const lane0 = (await status()).lanes?.[0];
    expect(await metric('liftline_backlog_jobs{lane="0"}')).toBe(lane0?.jobs);
    expect(await metric('liftline_backlog_scans{lane="0"}')).toBe(lane0?.scans);
    expect(await metric('liftline_backlog_oldest_seconds{lane="0"}')).toBeGreaterThanOrEqual(0);
    await work();
    expect(await metric('liftline_backlog_jobs{lane="0"}')).toBe(0);
    const persisted = await Promise.all(
      [0, 1].map((lane) => metric(`liftline_scans{lane="${lane}",outcome="persisted"}`)),
    );
    expect((persisted[0] ?? 0) + (persisted[1] ?? 0)).toBe(20);
    expect(await metric('liftline_jobs_unaccounted{lane="0"}')).toBe(0);
    expect(await metric('liftline_source_up{source="queue"}')).toBe(1);
    expect(await metric('liftline_source_up{source="node node-2"}')).toBe(1);
  });

  test.each(['refuses', 'is silent'])('a node that %s breaks neither the status nor the metrics', async (how) => {
    await post(scansOf(4));
    const proxy = two.proxies.get(2);
    if (how === 'refuses') await proxy?.close();
    else proxy?.goSilent();
    const found = await status();
    expect(found.nodes.map(({ isUp, deadLetters }) => [isUp, deadLetters])).toEqual([
      [true, 0],
      [false, null],
    ]);
    expect(found.conservation).toBeNull();
    expect(found.lanes).toHaveLength(2);
    expect(await metric('liftline_source_up{source="node node-2"}')).toBe(0);
    expect(await metric('liftline_backlog_scans{lane="0"}')).toBe(found.lanes?.[0]?.scans);
    expect(await metric('liftline_scans{lane="0",outcome="persisted"}')).toBeUndefined();
    expect(await problemOf(await ask('GET', '/ops/dead'))).toEqual([503, 'node_unavailable']);
  });
});
