import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareNode } from '../../src/shards/migrate-node.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { openTestPool, testLifecycle } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';

const lifecycle = testLifecycle();
let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = openTestPool(database.url, lifecycle);
});

afterAll(async () => {
  await lifecycle.stop(5_000);
  await database.drop();
});

const leaves = async (table: string) => {
  const { rows } = await pool.query<{ leaf: string }>(
    `SELECT inhrelid::regclass::text AS leaf FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1`,
    [table],
  );
  return rows.map(({ leaf }) => leaf);
};

test('a node gets the leaves of its shards once, whoever prepares it and however often', async () => {
  await Promise.all(Array.from({ length: 4 }, () => prepareNode(database.url, [0, 7, 63])));
  expect(await leaves('scans')).toEqual(['shard_00.scans', 'shard_07.scans', 'shard_63.scans']);
  expect(await leaves('skier_days')).toEqual(['shard_00.skier_days', 'shard_07.skier_days', 'shard_63.skier_days']);
});

test('a shard that comes later is added, those of others stay', async () => {
  await prepareNode(database.url, [8]);
  expect(await leaves('scans')).toEqual(['shard_00.scans', 'shard_07.scans', 'shard_08.scans', 'shard_63.scans']);
});

test('a row for a shard that is not here is refused without the name of a constraint: no default partition', async () => {
  const insert = `INSERT INTO skier_days VALUES (now(), now(), 1, 1, 1, 1, now(), 2025, 1, 5, '{}')`;
  const error: unknown = await pool.query(insert).catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ code: '23514' });
  expect((error as { constraint?: string }).constraint).toBeUndefined();
});

test('updates of a day stay in its page: no index is written again', async () => {
  const session = await pool.connect(); // what it did shows in the statistics once it has told them itself
  await session.query(`INSERT INTO skier_days SELECT now(), now(), skier, 1, 1, 10, now(), 2025, 1, 7, '{33}'
    FROM generate_series(1, 500) AS skier`);
  await session.query(
    `UPDATE skier_days SET rides = rides + 1, lift_hours = lift_hours || 65::bigint WHERE skier_id % 10 = 1`,
  );
  await session.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await session.query<{ all: number; hot: number }>(
    `SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE schemaname = 'shard_07' AND relname = 'skier_days'`,
  );
  session.release();
  expect(rows).toEqual([{ all: 50, hot: 50 }]);
});

test('a mistake of a reader is not taken for a node that is away, however often it is made', async () => {
  const { logger } = recordedLog();
  const node = openReadNodes({ poolSize: 1, timeoutMs: 2_000, logger, lifecycle }).of({
    nodeId: 1,
    name: 'alpha',
    url: database.url,
  });
  const mistake = () => node.run(() => Promise.reject(new TypeError('of ours')));
  for (let times = 0; times < 5; times += 1) await expect(mistake()).rejects.toThrow(TypeError);
  const { rows } = await node.run(({ pool: asked }) => asked.query('SELECT 1 AS one'));
  expect(rows).toEqual([{ one: 1 }]);
});
