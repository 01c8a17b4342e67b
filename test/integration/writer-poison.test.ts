import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Scan } from '../../src/domain/scan.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { NewerBatch } from '../../src/queue/codec.ts';
import { openWriteNodes } from '../../src/shards/write-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { jobOf, startLaneWorker } from '../support/lane-worker.ts';
import {
  openTestPool,
  prepareNodes,
  quiet,
  scanNo,
  skierOn,
  TestMap,
  testLifecycle,
  wrongTotals,
} from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const lifecycle = testLifecycle();
let database: TestDatabase;
let pool: Pool;
let map: TestMap;

beforeAll(async () => {
  database = await freshDatabase();
  map = new TestMap([database.url]);
  await prepareNodes(map.snapshot());
  pool = openTestPool(database.url, lifecycle);
});

beforeEach(async () => {
  await pool.query('TRUNCATE scans, skier_days, ledger, ledger_totals, dead_letters');
});

afterAll(async () => {
  await lifecycle.stop(5_000);
  await database.drop();
});

function partOf(scans: Scan[], batchId: string = randomUUID()) {
  const part = splitByNode({ batchId, acceptedAt: Date.UTC(2026, 0, 10), scans }, 'job', map.snapshot()).get(1);
  if (!part) throw new Error('no part');
  return part;
}

const scansOf = (from: number, count: number) => Array.from({ length: count }, (_, i) => scanNo(from + i));
const letters = async () =>
  (await pool.query('SELECT lane, shard, batch_id, code, detail, payload FROM dead_letters ORDER BY code')).rows as {
    lane: number;
    shard: number | null;
    batch_id: string;
    code: string;
    detail: string;
    payload: unknown;
  }[];
const ledger = async () =>
  (await pool.query('SELECT scans, persisted, duplicate, dead FROM ledger ORDER BY scans')).rows as object[];
const count = async () => (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM scans')).rows[0]?.n;

describe('a scan that can not be stored', () => {
  test.each([
    ['a season out of range', { season: 1989 }, '23514'],
    ['a day of 367', { day: 367 }, '23514'],
    ['an hour of 24', { hour: 24 }, '23514'],
    ['a vertical below 0', { verticalM: -1 }, '23514'],
    ['an id that is no integer of Postgres', { liftId: 2 ** 31 }, '22003'],
    ['a date that does not exist', { date: '2026-02-30' }, '22008'],
    ['an instant beyond all time', { scannedAt: 1e17 }, '22008'],
  ])('%s: becomes a dead letter, its neighbours are stored with it in one transaction', async (_, fields, code) => {
    const poison = scanNo(50, fields);
    const part = partOf([...scansOf(0, 50), poison, ...scansOf(51, 50)]);
    const other = partOf(scansOf(200, 20));
    expect(await storeParts(pool, 1, [other, part])).toEqual({ persisted: 120, duplicate: 0, dead: 1 });
    const found = await letters();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ lane: 1, batch_id: part.batchId, code, payload: poison });
    expect(found[0]?.detail).not.toBe('');
    expect(await ledger()).toEqual([
      { scans: 20, persisted: 20, duplicate: 0, dead: 0 },
      { scans: 101, persisted: 100, duplicate: 0, dead: 1 },
    ]);
    expect(await wrongTotals(pool)).toEqual([]);
    const { rows } = await pool.query(
      'SELECT DISTINCT xmin::text FROM (SELECT xmin FROM ledger UNION SELECT xmin FROM dead_letters) AS t',
    );
    expect(rows).toHaveLength(1);
  });

  test('several of them, and duplicates beside them, all find their place', async () => {
    await storeParts(pool, 0, [partOf(scansOf(0, 10))]);
    const scans = scansOf(0, 40).map((scan, i) => (i % 13 === 12 ? { ...scan, day: 400 } : scan));
    expect(await storeParts(pool, 0, [partOf(scans)])).toEqual({ persisted: 27, duplicate: 10, dead: 3 });
    expect(await letters()).toHaveLength(3);
    expect(await wrongTotals(pool)).toEqual([]);
  });

  test('runs again after its COMMIT: one dead letter', async () => {
    const part = partOf([scanNo(1), scanNo(2, { day: 0 })]);
    await storeParts(pool, 0, [part]);
    expect(await storeParts(pool, 0, [part])).toEqual({ persisted: 0, duplicate: 0, dead: 0 });
    expect(await letters()).toHaveLength(1);
    expect(await ledger()).toEqual([{ scans: 2, persisted: 1, duplicate: 0, dead: 1 }]);
  });

  test('in two workers at the same time: one dead letter', async () => {
    const part = partOf([...scansOf(0, 30), scanNo(99, { day: 0 })]);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => storeParts(pool, 0, [part])));
    expect(outcomes.filter(({ persisted }) => persisted > 0)).toEqual([{ persisted: 30, duplicate: 0, dead: 1 }]);
    expect(await letters()).toHaveLength(1);
    expect(await ledger()).toEqual([{ scans: 31, persisted: 30, duplicate: 0, dead: 1 }]);
    expect(await count()).toBe(30);
  });

  test('a shard that is not here is no poison: nothing is stored, nothing dies', async () => {
    const part = partOf([scanNo(1), scanNo(2, { day: 0 }), scanNo(3)]);
    part.shards[2] = 99;
    await expect(storeParts(pool, 0, [part])).rejects.toMatchObject({ code: '23514' });
    expect([await count(), await letters(), await ledger()]).toEqual([0, [], []]);
  });
});

test('a connection that breaks in the middle of it is an error of that write, and of nothing else', async () => {
  const proxy = await startFaultProxy(database.url);
  const nodes = openWriteNodes({ poolSize: 2, statementTimeoutMs: 10_000, logger: quiet, lifecycle });
  const throughProxy = nodes.of({ nodeId: 1, name: 'one', url: proxy.url });
  const lock = await pool.connect();
  try {
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE dead_letters');
    const part = partOf([scanNo(1), scanNo(2, { day: 0 })]);
    const failure = storeParts(throughProxy, 0, [part]).catch((error: unknown) => error);
    await until('it waits for the lock', async () => {
      const { rows } = await lock.query(
        "SELECT FROM pg_locks WHERE NOT granted AND relation = 'dead_letters'::regclass",
      );
      return rows.length > 0;
    });
    await proxy.close(); // unheard, the connection's own event would fail this run
    expect(String(await failure)).toMatch(/Connection terminated|ECONNRESET/);
    await lock.query('ROLLBACK');
    await proxy.open();
    expect(await storeParts(throughProxy, 0, [part])).toEqual({ persisted: 1, duplicate: 0, dead: 1 });
  } finally {
    lock.release(true);
    await proxy.close();
  }
});

const scan = () => scanNo(1, { skierId: skierOn(0) });

describe('a job that can not be read', () => {
  test.each([
    ['a NUL in a string', () => ({ ...(jobOf([scan()]) as object), date: '2026-01-1\u0000' })],
    ['no object at all', () => 'what\u0000ever \ud800'],
    ['nothing', () => null],
    ['a version that never was', () => ({ ...(jobOf([scan()]) as object), v: 0, n: 12 })],
    ['a wrong number of ids', () => ({ ...(jobOf([scan()]) as object), eventIds: 'x' })],
  ])('%s: becomes a dead letter as it came; its neighbours are stored', async (_, makeData) => {
    const lane = startLaneWorker({ map, lifecycle });
    const data = makeData();
    await Promise.all([lane.handle(data), lane.handle(jobOf([scan()])), lane.handle(data)]);
    const found = await letters();
    expect(found[0]).toMatchObject({ shard: null, code: 'unreadable', payload: data });
    const dead = (data as { n?: number } | null)?.n ?? 1;
    expect(await ledger()).toContainEqual({ scans: dead, persisted: 0, duplicate: 0, dead });
    expect(await count()).toBe(1);
    expect(lane.messages()).toContain('scans that can not be stored: dead letters');
  });

  test('since a newer program wrote it is left to a newer worker: nothing is written, nothing dies', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    await expect(lane.handle({ ...(jobOf([scan()]) as object), v: 2 })).rejects.toThrow(NewerBatch);
    expect([await count(), await letters(), await ledger()]).toEqual([0, [], []]);
  });

  test('that runs again is one dead letter', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    const job = { jobId: '7', data: { v: 0 }, signal: new AbortController().signal };
    await lane.worker.handle(job);
    await lane.worker.handle(job);
    expect(await letters()).toHaveLength(1);
  });
});
