import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { jobOf, startLaneWorker } from '../support/lane-worker.ts';
import { openTestPool, prepareNodes, scanNo, skierOn, TestMap, testLifecycle, wrongTotals } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let lifecycle = testLifecycle();
let database: TestDatabase;
let proxy: FaultProxy;
let pool: Pool;
let map: TestMap;

beforeEach(async () => {
  lifecycle = testLifecycle();
  database = await freshDatabase();
  await prepareNodes(new TestMap([database.url]).snapshot());
  proxy = await startFaultProxy(database.url);
  pool = openTestPool(database.url, lifecycle);
  map = new TestMap([proxy.url]);
});

afterEach(async () => {
  await proxy.close();
  await lifecycle.stop(5_000);
  await database.drop();
});

/** of lane 0 */
const scansOf = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => scanNo(from + i, { skierId: skierOn(2 * (i % 4), 1 + i * 7) }));
const count = async (table: string) =>
  (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n;

describe('a node that is away', () => {
  test.each(['refuses', 'is silent'])('one that %s: jobs are held, and stored once it is back', async (how) => {
    const lane = startLaneWorker({ map, lifecycle, statementTimeoutMs: 300 });
    await lane.handle(jobOf(scansOf(0, 5)));
    if (how === 'refuses') await proxy.close();
    else proxy.goSilent();
    let done = 0;
    const jobs = Array.from({ length: 8 }, async (_, i) => {
      await lane.handle(jobOf(scansOf(100 * (i + 1), 10)));
      done += 1;
    });
    const held = { lane: '0', node: 'node-1' };
    await until('the lane is held', async () => (await lane.metric('liftline_lane_held', held)) === 1, 20_000);
    await until(
      'several tries failed',
      async () => {
        return ((await lane.metric('liftline_write_failures_total', { verdict: 'transient' })) ?? 0) >= 3;
      },
      20_000,
    );
    expect(done).toBe(0);
    await proxy.open();
    await Promise.all(jobs);
    expect(await count('scans')).toBe(85);
    expect(await count('ledger')).toBe(9);
    expect(await count('dead_letters')).toBe(0);
    expect(await wrongTotals(pool)).toEqual([]);
    expect(await lane.metric('liftline_lane_held', held)).toBe(0);
    expect(lane.messages().filter((message) => message === 'the node takes no writes, holding')).toHaveLength(1);
    expect(lane.messages()).toContain('the node takes writes again');
  });

  test('whose answer to a COMMIT got lost: the job runs again and is counted once', async () => {
    await pool.query(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
      CREATE TRIGGER slow BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION slow()`);
    const blocker = await pool.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT pg_advisory_xact_lock(42)');
    const lane = startLaneWorker({ map, lifecycle, statementTimeoutMs: 20_000 });
    const job = lane.handle(jobOf(scansOf(0, 10)));
    await until('the write waits in Postgres', async () => {
      const { rows } = await pool.query(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()`,
      );
      return rows.length === 1;
    });
    await proxy.close(); // the server does not notice before it answers: it commits
    await blocker.query('COMMIT');
    blocker.release();
    await until('it is committed', async () => (await count('ledger')) === 1);
    await proxy.open();
    await job;
    expect(await count('scans')).toBe(10);
    const { rows } = await pool.query('SELECT scans, persisted, duplicate FROM ledger');
    expect(rows).toEqual([{ scans: 10, persisted: 10, duplicate: 0 }]);
    expect(await wrongTotals(pool)).toEqual([]);
  });

  test('holds no job that was given back', async () => {
    const lane = startLaneWorker({ map, lifecycle });
    await proxy.close();
    const givenBack = new AbortController();
    const job = lane.handle(jobOf(scansOf(0, 3)), givenBack.signal);
    const other = lane.handle(jobOf(scansOf(50, 3)));
    await until('it is held', async () => (await lane.metric('liftline_lane_held')) === 1);
    givenBack.abort(new Error('given back'));
    await expect(job).rejects.toThrow('given back');
    await proxy.open();
    await other;
    expect(await count('ledger')).toBe(1);
  });
});

test('jobs that arrive while a write is under way share the next one', async () => {
  const lane = startLaneWorker({ map, lifecycle });
  await Promise.all(Array.from({ length: 20 }, (_, i) => lane.handle(jobOf(scansOf(i * 100, 10)))));
  expect(await count('ledger')).toBe(20);
  const writes = (await pool.query<{ n: number }>('SELECT count(DISTINCT committed_at)::int AS n FROM ledger')).rows[0]
    ?.n;
  expect(writes).toBeLessThanOrEqual(20);
  expect(await lane.metric('liftline_worker_scans_total', { outcome: 'persisted' })).toBe(200);
  const transactions = await pool.query('SELECT DISTINCT xmin::text FROM ledger');
  expect(transactions.rows).toHaveLength(2); // the first job alone, then the 19 that came meanwhile
});
