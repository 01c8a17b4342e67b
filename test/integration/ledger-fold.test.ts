import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { foldLedger } from '../../src/shards/ledger-fold.ts';
import { readNodeLedger } from '../../src/shards/ledger-reader.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { openTestPool, prepareNodes, scanNo, TestMap, testLifecycle } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

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

afterAll(async () => {
  await lifecycle.stop(5_000);
  await database.drop();
});

async function store(lane: number, numbers: number[]): Promise<void> {
  const scans = numbers.map((n) => scanNo(n, n % 10 === 9 ? { day: 0 } : {}));
  const parts = splitByNode({ batchId: randomUUID(), acceptedAt: 0, scans }, 'job', map.snapshot());
  for (const part of parts.values()) await storeParts(pool, lane, [part]);
}

const rows = async () => (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM ledger')).rows[0]?.n;

test('old rows are folded by whoever comes first, and the sums stay what they are', async () => {
  await store(0, [1, 2, 3, 9]);
  await store(0, [3, 4]);
  await store(1, [5, 6]);
  await pool.query(`UPDATE ledger SET committed_at = now() - interval '8 days'`);
  await store(1, [7]);
  const before = await readNodeLedger(pool);
  expect(before.lanes).toEqual([
    { lane: 0, jobs: 2, persisted: 4, duplicate: 1, dead: 1 },
    { lane: 1, jobs: 2, persisted: 3, duplicate: 0, dead: 0 },
  ]);
  const folded = await Promise.all(Array.from({ length: 4 }, () => foldLedger(pool, 7)));
  expect(folded.reduce((sum, n) => sum + n, 0)).toBe(3);
  expect(await rows()).toBe(1);
  expect(await readNodeLedger(pool)).toEqual(before);

  await store(0, [8]);
  await pool.query(`UPDATE ledger SET committed_at = now() - interval '8 days'`);
  await foldLedger(pool, 7);
  expect(await rows()).toBe(0);
  expect((await readNodeLedger(pool)).lanes[0]).toEqual({ lane: 0, jobs: 3, persisted: 5, duplicate: 1, dead: 1 });
});
