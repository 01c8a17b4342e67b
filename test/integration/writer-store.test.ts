import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Scan } from '../../src/domain/scan.ts';
import { type BatchPart, splitByNode } from '../../src/shards/batch-part.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { openTestPool, prepareNodes, scanNo, SHARDS, TestMap, testLifecycle, wrongTotals } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

const lifecycle = testLifecycle();
let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await freshDatabase();
  await prepareNodes(new TestMap([database.url]).snapshot());
  pool = openTestPool(database.url, lifecycle);
});

beforeEach(async () => {
  await pool.query('TRUNCATE scans, skier_days, ledger, ledger_totals, dead_letters');
});

afterAll(async () => {
  await lifecycle.stop(5_000);
  await database.drop();
});

const map = { shardCount: SHARDS, nodeOfShard: Array.from({ length: SHARDS }, () => 1) };

function partOf(scans: Scan[], batchId: string = randomUUID()): BatchPart {
  const part = splitByNode({ batchId, acceptedAt: Date.UTC(2026, 0, 10), scans }, `job ${batchId}`, map).get(1);
  if (!part) throw new Error('no part');
  return part;
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const storedScans = async () => Number((await pool.query<{ n: string }>('SELECT count(*) AS n FROM scans')).rows[0]?.n);
const ledgerOf = async (batchId: string) =>
  (
    await pool.query('SELECT lane, job_id, jobs, scans, persisted, duplicate, dead FROM ledger WHERE batch_id = $1', [
      batchId,
    ])
  ).rows[0] as Record<string, unknown> | undefined;

describe('one write', () => {
  test('stores scans, totals and a ledger row a job', async () => {
    const [a, b] = [partOf(numbers(0, 60).map((n) => scanNo(n))), partOf(numbers(60, 40).map((n) => scanNo(n)))];
    expect(await storeParts(pool, 1, [a, b])).toEqual({ persisted: 100, duplicate: 0, dead: 0 });
    expect(await storedScans()).toBe(100);
    expect(await wrongTotals(pool)).toEqual([]);
    expect(await ledgerOf(a.batchId)).toEqual({
      lane: 1,
      job_id: a.jobId,
      jobs: 1,
      scans: 60,
      persisted: 60,
      duplicate: 0,
      dead: 0,
    });
    expect(await ledgerOf(b.batchId)).toMatchObject({ scans: 40, persisted: 40 });
  });

  test('keeps every field, the instant to the millisecond', async () => {
    const scan = scanNo(7, {
      scannedAt: 1_768_035_607_123,
      deviceId: 0,
      skierId: 2_147_483_647,
      liftId: 2_147_483_647,
    });
    const part = partOf([scan]);
    await storeParts(pool, 0, [part]);
    const { rows } = await pool.query(`SELECT event_id AS "eventId", skier_id AS "skierId", resort_id AS "resortId",
      lift_id AS "liftId", (extract(epoch FROM scanned_at) * 1000)::float8 AS "scannedAt", season, day,
      local_date::text AS date, hour, vertical_m AS "verticalM", device_id AS "deviceId" FROM scans`);
    expect(rows).toEqual([scan]);
  });

  test('a scan that several jobs of a write hold is credited to the first', async () => {
    const [first, second] = [partOf([scanNo(1), scanNo(2)]), partOf([scanNo(2), scanNo(3)])];
    await storeParts(pool, 0, [first, second]);
    expect(await ledgerOf(first.batchId)).toMatchObject({ persisted: 2, duplicate: 0 });
    expect(await ledgerOf(second.batchId)).toMatchObject({ persisted: 1, duplicate: 1 });
    expect(await wrongTotals(pool)).toEqual([]);
  });

  test('a scan that came earlier, later or twice in one job counts once', async () => {
    const day = numbers(0, 30).map((n) => scanNo(n, { skierId: 5, resortId: 1, day: 1, date: '2026-01-10' }));
    await storeParts(pool, 0, [partOf(day.slice(10, 20))]);
    await storeParts(pool, 0, [partOf([...day.slice(0, 15), ...day.slice(0, 15)])]);
    expect(await storeParts(pool, 0, [partOf(day)])).toEqual({ persisted: 10, duplicate: 20, dead: 0 });
    expect(await wrongTotals(pool)).toEqual([]);
    const { rows } = await pool.query('SELECT rides, cardinality(lift_hours) AS hours FROM skier_days');
    expect(rows).toEqual([{ rides: 30, hours: 30 }]);
  });

  test('the same scan of another device is another scan', async () => {
    await storeParts(pool, 0, [partOf([scanNo(1), scanNo(1, { deviceId: 2 })])]);
    expect(await storedScans()).toBe(2);
  });
});

describe('a job that runs again', () => {
  test('after its COMMIT is left alone, and its neighbours are stored', async () => {
    const part = partOf(numbers(0, 10).map((n) => scanNo(n)));
    await storeParts(pool, 0, [part]);
    await pool.query('DELETE FROM scans WHERE shard >= 0'); // what it skips it does not even try to insert
    expect(await storeParts(pool, 0, [part, partOf([scanNo(99)])])).toEqual({ persisted: 1, duplicate: 0, dead: 0 });
    expect(await storedScans()).toBe(1);
    expect(await ledgerOf(part.batchId)).toMatchObject({ scans: 10, persisted: 10, duplicate: 0 });
  });

  test('at the same time in two workers, many times over, is stored and counted once', async () => {
    const jobs = numbers(0, 12).map((job) => partOf(numbers(job * 20, 40).map((n) => scanNo(n))));
    const writes = numbers(0, 24).map((n) => {
      const mine = n % 2 === 0 ? jobs : jobs.toReversed();
      return mine.slice(n % 5, (n % 5) + 8);
    });
    await Promise.all(writes.map((parts) => untilStored(parts)));
    expect(await storedScans()).toBe(260);
    expect(await wrongTotals(pool)).toEqual([]);
    const { rows } = await pool.query(
      'SELECT count(*)::int AS jobs, sum(scans)::int AS scans, sum(persisted)::int AS persisted FROM ledger',
    );
    expect(rows).toEqual([{ jobs: 12, scans: 480, persisted: 260 }]);
  });

  test('with a shard that its ledger row does not know stores that shard and adds to the row', async () => {
    const scans = numbers(0, 50).map((n) => scanNo(n));
    const whole = partOf(scans);
    const here = whole.scans.filter((_, i) => (whole.shards[i] ?? 0) < 4);
    await storeParts(pool, 0, [partOf(here, whole.batchId)]);
    await storeParts(pool, 0, [whole]);
    expect(await storedScans()).toBe(50);
    expect(await ledgerOf(whole.batchId)).toMatchObject({ scans: 50, persisted: 50, duplicate: 0 });
    expect(await storeParts(pool, 0, [whole])).toEqual({ persisted: 0, duplicate: 0, dead: 0 });
  });
});

/** Deadlocks are retried, as the worker does. */
async function untilStored(parts: BatchPart[]): Promise<void> {
  for (;;) {
    try {
      await storeParts(pool, 0, parts);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === '40P01')) throw error;
    }
  }
}

test('the check of the totals finds a row that somebody has changed', async () => {
  await storeParts(pool, 0, [partOf(numbers(0, 20).map((n) => scanNo(n)))]);
  await pool.query(
    'UPDATE skier_days SET rides = rides + 1 WHERE (shard, skier_id) IN (SELECT shard, skier_id FROM skier_days LIMIT 1)',
  );
  expect(await wrongTotals(pool)).not.toEqual([]);
});

test('a write that fails leaves nothing', async () => {
  const part = partOf([scanNo(1), scanNo(2)]);
  part.shards[1] = 99;
  await expect(storeParts(pool, 0, [part])).rejects.toMatchObject({ code: '23514' });
  expect(await storedScans()).toBe(0);
  expect(await ledgerOf(part.batchId)).toBeUndefined();
});
