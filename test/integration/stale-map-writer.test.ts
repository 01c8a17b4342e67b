import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { ACCEPTED_AT, jobOf, startLaneWorker } from '../support/lane-worker.ts';
import {
  moveLeaves,
  openTestPool,
  prepareNodes,
  scanNo,
  skierOn,
  TestMap,
  testLifecycle,
  wrongTotals,
} from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let lifecycle = testLifecycle();
let databases: TestDatabase[];
let proxyA: FaultProxy;
let proxyB: FaultProxy;
let a: Pool;
let b: Pool;
let map: TestMap;

beforeEach(async () => {
  lifecycle = testLifecycle();
  databases = [await freshDatabase(), await freshDatabase()];
  const urls = databases.map(({ url }) => url);
  await prepareNodes(new TestMap(urls).snapshot()); // lane 0 (even shards) on node 1, lane 1 on node 2
  [proxyA, proxyB] = (await Promise.all(urls.map(startFaultProxy))) as [FaultProxy, FaultProxy];
  map = new TestMap([proxyA.url, proxyB.url]);
  [a, b] = urls.map((url) => openTestPool(url, lifecycle)) as [Pool, Pool];
});

afterEach(async () => {
  await Promise.all([proxyA.close(), proxyB.close()]);
  await lifecycle.stop(5_000);
  for (const database of databases) await database.drop();
});

/** one scan on each shard of lane 0: 0, 2, 4, 6 */
const scansOf = (from: number) => [0, 2, 4, 6].map((shard, i) => scanNo(from + i, { skierId: skierOn(shard) }));
const count = async (pool: Pool, table: string) =>
  (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n;
const ledger = async (pool: Pool) =>
  (await pool.query('SELECT jobs, scans, persisted, duplicate, dead FROM ledger ORDER BY committed_at')).rows;

describe('a shard that was moved by hand', () => {
  test('a writer with the old map learns it from Postgres, reads the map again and stores once, on the new node', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    await lane.handle(jobOf(scansOf(0)));
    await moveLeaves(a, b, 2);
    map.place([2], 2);
    await lane.handle(jobOf(scansOf(100)));
    expect(map.reloads).toBe(1);
    expect([await count(a, 'scans'), await count(b, 'scans')]).toEqual([6, 2]);
    expect([...(await wrongTotals(a)), ...(await wrongTotals(b))]).toEqual([]);
    // a row on each node for the second job, of which one stands for it
    expect(await ledger(a)).toEqual([
      { jobs: 1, scans: 4, persisted: 4, duplicate: 0, dead: 0 },
      { jobs: 1, scans: 3, persisted: 3, duplicate: 0, dead: 0 },
    ]);
    expect(await ledger(b)).toEqual([{ jobs: 0, scans: 1, persisted: 1, duplicate: 0, dead: 0 }]);
  });

  test('detached and not yet mapped: the job waits for the map, and nothing is a dead letter', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    await moveLeaves(a, b, 4);
    const job = lane.handle(jobOf(scansOf(0)));
    await until('it has asked for the map again and again', () => map.reloads >= 3);
    expect([await count(a, 'scans'), await count(b, 'scans')]).toEqual([0, 0]);
    map.place([4], 2);
    await job;
    expect([await count(a, 'scans'), await count(b, 'scans')]).toEqual([3, 1]);
    expect([await count(a, 'dead_letters'), await count(b, 'dead_letters')]).toEqual([0, 0]);
  });

  test('between a COMMIT and the end of its job: what is stored is not stored again, what moved is', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    const job = jobOf(scansOf(0));
    await lane.handle(job);
    await moveLeaves(a, b, 6);
    map.place([6], 2);
    await map.reload();
    await lane.handle(job);
    expect([await count(a, 'scans'), await count(b, 'scans')]).toEqual([3, 1]);
    expect([...(await wrongTotals(a)), ...(await wrongTotals(b))]).toEqual([]);
  });

  test('a job that waits for a node that is away follows its shards when they get another one', async () => {
    await moveLeaves(a, b, 2);
    await moveLeaves(b, a, 2); // leaves are back on A, and the map says B
    map.place([0, 2, 4, 6], 2);
    await map.reload();
    await proxyB.close();
    const lane = startLaneWorker({ map, lifecycle });
    const job = lane.handle(jobOf(scansOf(0)));
    await until('it is held', async () => (await lane.metric('liftline_lane_held')) === 1);
    map.place([0, 2, 4, 6], 1);
    await map.reload();
    await job;
    expect(await count(a, 'scans')).toBe(4);
  });
});

describe('a job with parts for two nodes of which one is away', () => {
  beforeEach(async () => {
    await moveLeaves(a, b, 0);
    await moveLeaves(a, b, 4);
    map.place([0, 4], 2);
    await map.reload();
    await proxyB.close();
  });

  test('is stored where it can be; the rest goes back as a job of its own, as old as it is', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    const scans = scansOf(0);
    await lane.handle(jobOf(scans, '018f0000-0000-7000-8000-00000000000a'));
    expect(lane.requeued).toEqual([
      {
        lane: 0,
        scans: [scans[0], scans[2]],
        parent: expect.objectContaining({ batchId: '018f0000-0000-7000-8000-00000000000a', acceptedAt: ACCEPTED_AT }),
      },
    ]);
    expect(await ledger(a)).toEqual([{ jobs: 1, scans: 2, persisted: 2, duplicate: 0, dead: 0 }]);
    // the new job waits for its node as every job does
    let isDone = false;
    const rest = lane.handle(jobOf(lane.requeued[0]?.scans ?? [])).finally(() => {
      isDone = true;
    });
    await until('it is held', async () => (await lane.metric('liftline_lane_held', { node: 'node-2' })) === 1);
    expect(isDone).toBe(false);
    await proxyB.open();
    await rest;
    expect(await ledger(b)).toEqual([{ jobs: 1, scans: 2, persisted: 2, duplicate: 0, dead: 0 }]);
  });

  test('while the queue is away too, it stays, and is whole in the end', async () => {
    let isQueueUp = false;
    const lane = startLaneWorker({ map, lifecycle, canRequeue: () => isQueueUp });
    const job = lane.handle(jobOf(scansOf(0)));
    await until('it could not go back', () => lane.messages().includes('a part could not go back to the queue'));
    await proxyB.open();
    await job;
    isQueueUp = true;
    expect(lane.requeued).toEqual([]);
    expect([await count(a, 'scans'), await count(b, 'scans')]).toEqual([2, 2]);
    expect([await ledger(a), await ledger(b)]).toEqual([
      [expect.objectContaining({ jobs: 1, scans: 2 })],
      [expect.objectContaining({ jobs: 0, scans: 2 })],
    ]);
  });

  test('is counted once, whichever node stores first, and however often it is tried', async () => {
    await proxyB.open();
    await proxyA.close();
    const lane = startLaneWorker({ map, lifecycle, canRequeue: () => false });
    const job = lane.handle(jobOf(scansOf(0)));
    await until('it could not go back', () => lane.messages().includes('a part could not go back to the queue'));
    await proxyA.open();
    await job;
    expect([await ledger(a), await ledger(b)]).toEqual([
      [expect.objectContaining({ jobs: 0, scans: 2 })],
      [expect.objectContaining({ jobs: 1, scans: 2 })],
    ]);
  });
});
