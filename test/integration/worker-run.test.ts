import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { prepareNodes } from '../../src/cli/prepare-nodes.ts';
import { initDirectory } from '../../src/directory/init.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { openLink } from '../../src/queue/backend.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { runWorker } from '../../workers/run-worker.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { LANES, openTestPool, scanNo, SHARDS, testLifecycle, wrongTotals } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';
import { describeQueues, type Site } from './queue-backends.ts';

let databases: TestDatabase[];
let proxies: FaultProxy[];
let pools: Pool[];
const outer = testLifecycle();

beforeAll(async () => {
  databases = [await freshDatabase(), await freshDatabase(), await freshDatabase()];
  proxies = await Promise.all(databases.slice(1).map(({ url }) => startFaultProxy(url)));
  const nodes = proxies.map(({ url }, i) => ({ name: `node-${i + 1}`, url }));
  await prepareNodes(
    await initDirectory({ directoryUrl: databases[0]?.url ?? '', nodes, shardCount: SHARDS, laneCount: LANES }),
  );
  pools = databases.slice(1).map(({ url }) => openTestPool(url, outer));
});

beforeEach(async () => {
  for (const proxy of proxies) await proxy.open();
  for (const pool of pools) await pool.query('TRUNCATE scans, skier_days, ledger, ledger_totals, dead_letters');
});

afterAll(async () => {
  await outer.stop(5_000);
  for (const proxy of proxies) await proxy.close();
  for (const database of databases) await database.drop();
});

/** A worker as its process runs it. */
async function startWorker(site: Site, env: Record<string, string> = {}) {
  const { logger, messages } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const config = loadConfig(
    {
      DIRECTORY_URL: databases[0]?.url,
      QUEUE_URL: site.queueUrl,
      LOCK_MS: '3000',
      STALL_CHECK_MS: '1000',
      STATEMENT_TIMEOUT_MS: '500',
      ...env,
    },
    'worker',
  );
  const metrics = createMetrics('worker');
  const worker = await runWorker({ ...config, queuePrefix: site.queuePrefix }, { logger, lifecycle, metrics });
  return { worker, lifecycle, messages, metrics };
}

async function enqueue(producer: LaneProducer, scans: Scan[]): Promise<void> {
  for (const [lane, ofLane] of Map.groupBy(scans, laneOfScan)) await producer.enqueue(lane, ofLane);
}

function laneOfScan({ skierId }: Scan): number {
  return laneOf(shardOf(skierId, SHARDS), LANES);
}

const scansOf = (from: number, count: number) => Array.from({ length: count }, (_, i) => scanNo(from + i));

async function sums() {
  const all = await Promise.all(
    pools.map(async (pool) => {
      const { rows } = await pool.query<{ scans: number; persisted: number; duplicate: number; dead: number }>(
        `SELECT coalesce(sum(scans), 0)::int AS scans, coalesce(sum(persisted), 0)::int AS persisted,
           coalesce(sum(duplicate), 0)::int AS duplicate, coalesce(sum(dead), 0)::int AS dead FROM ledger`,
      );
      return rows[0];
    }),
  );
  const sum = (field: 'scans' | 'persisted' | 'duplicate' | 'dead') =>
    all.reduce((total, row) => total + (row?.[field] ?? 0), 0);
  return { scans: sum('scans'), persisted: sum('persisted'), duplicate: sum('duplicate'), dead: sum('dead') };
}

const jobsLeft = (site: Site) => {
  const backlog = openBacklog({ ...site, timeoutMs: 2_000 });
  return async () =>
    (await backlog.read()).reduce(
      (n, lane) => n + lane.waitingJobs + lane.activeJobs + lane.delayedJobs + lane.failedJobs,
      0,
    );
};

describeQueues('a worker process', (site) => {
  const workers: Lifecycle[] = [];
  afterEach(async () => {
    for (const proxy of proxies) await proxy.open();
    for (const lifecycle of workers.splice(0)) await lifecycle.stop(10_000);
  });
  const start = async (env: Record<string, string> = {}) => {
    const started = await startWorker(site(), env);
    workers.push(started.lifecycle);
    return started;
  };

  test('stores what its lanes hold, counts it, and ends when it is told to', async () => {
    const producer = await openProducer(site());
    for (let i = 0; i < 10; i += 1) await enqueue(producer, scansOf(i * 50, 60));
    const left = jobsLeft(site());
    const { worker, lifecycle, metrics } = await start();
    await until('the lanes are empty', async () => (await left()) === 0);
    expect(await sums()).toEqual({ scans: 600, persisted: 510, duplicate: 90, dead: 0 });
    for (const pool of pools) expect(await wrongTotals(pool)).toEqual([]);
    expect(worker.ready()).toBe(true);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/liftline_worker_scans_total\{lane="0",outcome="persisted"\} \d+/);
    expect(text).toMatch(/liftline_freshness_seconds_count [1-9]/);
    await lifecycle.stop(10_000);
  });

  test('told to stop while a node is away, it gives its jobs back, and the next one stores them', async () => {
    const producer = await openProducer(site());
    const first = await start({ DRAIN_MS: '3000' });
    await proxies[1]?.close();
    for (let i = 0; i < 5; i += 1) await enqueue(producer, scansOf(i * 40, 40));
    await until('the other node has its share', async () => {
      const { rows } = await (pools[0] as Pool).query<{ n: number }>('SELECT count(*)::int AS n FROM ledger');
      return rows[0]?.n === 5;
    });
    await until('the lane is held', () => first.messages().includes('the node takes no writes, holding'));
    const startedAt = performance.now();
    await first.lifecycle.stop(10_000);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const left = jobsLeft(site());
    expect(await left()).toBe(5);
    await proxies[1]?.open();
    await start();
    await until('the lanes are empty', async () => (await left()) === 0, 20_000);
    expect(await sums()).toEqual({ scans: 200, persisted: 200, duplicate: 0, dead: 0 });
    for (const pool of pools) expect(await wrongTotals(pool)).toEqual([]);
  });

  test('one that holds its jobs because a node is away is live, for longer than it takes to be called stuck', async () => {
    const producer = await openProducer(site());
    const held = await start({ STUCK_MS: '6000' });
    await proxies[1]?.close();
    for (let i = 0; i < 5; i += 1) await enqueue(producer, scansOf(i * 40, 40));
    await until('the lane is held', () => held.messages().includes('the node takes no writes, holding'));
    const heldAt = performance.now();
    await until(
      'twice the time has passed',
      () => {
        expect(held.worker.live()).toBe(true);
        return performance.now() - heldAt > 12_000;
      },
      20_000,
    );
    await proxies[1]?.open();
    const left = jobsLeft(site());
    await until('the lanes are empty', async () => (await left()) === 0, 20_000);
    expect((await sums()).persisted).toBe(200);
  }, 60_000);

  test('a job that it can not read becomes a dead letter, and the lane goes on', async () => {
    const producer = await openProducer(site());
    const link = openLink({ ...site(), timeoutMs: 2_000, connections: 1 });
    site().lifecycle.onStop('test link', () => link.close());
    await link.ready();
    await link.queue(0).add('1', { v: 1, note: 'not\u005cu0000 a batch' });
    await enqueue(producer, scansOf(0, 20));
    await start();
    const left = jobsLeft(site());
    await until('the lanes are empty', async () => (await left()) === 0);
    expect(await sums()).toEqual({ scans: 21, persisted: 20, duplicate: 0, dead: 1 });
  });
});

describe('a worker of lanes that do not exist', () => {
  test('does not start', async () => {
    const { logger } = recordedLog();
    const lifecycle = new Lifecycle({ logger });
    const config = loadConfig(
      { DIRECTORY_URL: databases[0]?.url, QUEUE_URL: 'redis://127.0.0.1:1', LANES: '0,7' },
      'worker',
    );
    await expect(runWorker(config, { logger, lifecycle, metrics: createMetrics('worker') })).rejects.toThrow(
      'there is no lane 7, only 0 to 1',
    );
    await lifecycle.stop(5_000);
  });
});
