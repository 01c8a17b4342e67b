import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDeadLetters, type DeadLetters } from '../../src/shards/dead-letters.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { ACCEPTED_AT, jobOf, startLaneWorker } from '../support/lane-worker.ts';
import { openTestPool, prepareNodes, quiet, scanNo, skierOn, TestMap, testLifecycle } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

const lifecycle = testLifecycle();
const databases: TestDatabase[] = [];
let pools: Pool[];
let map: TestMap;
let dead: DeadLetters;
let isQueueUp = true;

/** Replayed scans go straight back to the lane's worker. */
beforeAll(async () => {
  databases.push(await freshDatabase(), await freshDatabase());
  map = new TestMap(databases.map(({ url }) => url));
  await prepareNodes(map.snapshot());
  pools = databases.map(({ url }) => openTestPool(url, lifecycle));
  const lanes = [0, 1].map((lane) => startLaneWorker({ map, lifecycle, lane }));
  dead = createDeadLetters({
    directory: map,
    nodes: openReadNodes({ poolSize: 2, timeoutMs: 1_500, logger: quiet, lifecycle }),
    async enqueue(lane, scans, parent) {
      if (!isQueueUp) throw new Error('the queue is away');
      if (parent.acceptedAt !== ACCEPTED_AT) throw new Error('it must stay as old as it is');
      await lanes[lane]?.handle(jobOf(scans));
    },
  });
  for (const lane of lanes) {
    const shard = lanes.indexOf(lane);
    await lane.handle(jobOf([scanNo(shard, { skierId: skierOn(shard) }), poison(10 + shard, shard)]));
  }
  await lanes[0]?.handle({ ...(jobOf([scanNo(30, { skierId: skierOn(2) })]) as object), v: 0 });
});

afterAll(async () => {
  await lifecycle.stop(5_000);
  for (const database of databases) await database.drop();
});

const poison = (number: number, shard: number) => scanNo(number, { skierId: skierOn(shard), day: 367 });
const codes = async () => (await dead.list({ limit: 10 })).map(({ lane, code }) => `${lane} ${code}`).toSorted();
const allScans = async () => {
  const counts = await Promise.all(
    pools.map((pool) => pool.query<{ n: number }>('SELECT count(*)::int AS n FROM scans')),
  );
  return counts.map(({ rows }) => rows[0]?.n);
};

test('are listed over all nodes, the newest first, with all that is known', async () => {
  expect(await codes()).toEqual(['0 23514', '0 unreadable', '1 23514']);
  const listed = await dead.list({ limit: 2 });
  expect(listed).toHaveLength(2);
  expect(listed[0]?.code).toBe('unreadable');
  expect(listed[0]?.diedAt).toBeGreaterThanOrEqual(listed[1]?.diedAt ?? Infinity);
  const one = await dead.show(listed[1]?.deadLetterId ?? '');
  expect(one).toEqual(listed[1]);
  expect(one).toMatchObject({ acceptedAt: ACCEPTED_AT, payload: poison(11, 1) });
});

test('replayed while the queue is away stay where they are', async () => {
  const [letter] = await dead.list({ limit: 1 });
  isQueueUp = false;
  await expect(dead.replay((await findBy('0 23514')).deadLetterId)).rejects.toThrow('the queue is away');
  isQueueUp = true;
  expect((await dead.list({ limit: 1 }))[0]).toEqual(letter);
});

test('replayed once their reason is gone are stored, and gone from the list', async () => {
  for (const pool of pools) {
    await pool.query('ALTER DOMAIN season_day DROP CONSTRAINT season_day');
  }
  await dead.replay((await findBy('0 23514')).deadLetterId);
  expect(await codes()).toEqual(['0 unreadable', '1 23514']);
  expect(await allScans()).toEqual([2, 1]);
});

test('that nobody can read yet are refused a replay and stay', async () => {
  await expect(dead.replay((await findBy('0 unreadable')).deadLetterId)).rejects.toMatchObject({ code: 'conflict' });
  expect(await codes()).toEqual(['0 unreadable', '1 23514']);
});

test('discarded are gone; what is not there is not found', async () => {
  const { deadLetterId } = await findBy('1 23514');
  await dead.discard(deadLetterId);
  expect(await codes()).toEqual(['0 unreadable']);
  for (const verb of ['show', 'discard', 'replay'] as const) {
    await expect(dead[verb](deadLetterId)).rejects.toMatchObject({ code: 'not_found' });
  }
});

async function findBy(key: string) {
  const found = (await dead.list({ limit: 10 })).find(({ lane, code }) => `${lane} ${code}` === key);
  if (!found) throw new Error(`no ${key}`);
  return found;
}
