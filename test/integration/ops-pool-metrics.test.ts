import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { watchPools } from '../../src/shards/pool-metrics.ts';
import { freshDatabase } from '../support/postgres.ts';

test('connections to the nodes: busy, idle, the limit, and who waits for one', async () => {
  const database = await freshDatabase();
  const registry = new Registry();
  const pool = new Pool({ connectionString: database.url, max: 2 });
  watchPools(registry, 'rides')('alps', pool);
  const other = watchPools(registry, 'ops'); // of the same process
  const counts = async (user: string) =>
    ((await registry.getSingleMetric('liftline_node_pool_connections')?.get())?.values ?? [])
      .filter(({ labels }) => (labels as { user: string }).user === user)
      .map(({ labels, value }) => [(labels as { state: string }).state, value]);
  expect(await counts('rides')).toEqual([
    ['busy', 0],
    ['idle', 0],
    ['waiting', 0],
    ['limit', 2],
  ]);
  const clients = [await pool.connect(), await pool.connect()];
  const third = pool.connect();
  expect(await counts('rides')).toEqual([
    ['busy', 2],
    ['idle', 0],
    ['waiting', 1],
    ['limit', 2],
  ]);
  clients[0]?.release();
  (await third).release();
  clients[1]?.release();
  expect(await counts('rides')).toEqual([
    ['busy', 0],
    ['idle', 2],
    ['waiting', 0],
    ['limit', 2],
  ]);
  expect(await counts('ops')).toEqual([]);
  other('alps', pool);
  expect(await counts('ops')).toHaveLength(4);
  await pool.end();
  await database.drop();
});
