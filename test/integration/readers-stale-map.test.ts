import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import {
  moveLeaves,
  openTestPool,
  prepareNodes,
  quiet,
  scanNo,
  skierOn,
  TestMap,
  testLifecycle,
} from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

let lifecycle = testLifecycle();
let databases: TestDatabase[];
let a: Pool;
let b: Pool;
let map: TestMap;
let history: HistoryReader;
const skierId = skierOn(2);
const scans = [1, 2, 3].map((n) => scanNo(n, { skierId, resortId: 1, day: 1, date: '2026-01-10' }));

beforeEach(async () => {
  lifecycle = testLifecycle();
  databases = [await freshDatabase(), await freshDatabase()];
  const urls = databases.map(({ url }) => url);
  map = new TestMap(urls);
  await prepareNodes(map.snapshot());
  [a, b] = urls.map((url) => openTestPool(url, lifecycle)) as [Pool, Pool];
  const nodes = openReadNodes({ poolSize: 2, timeoutMs: 1_500, logger: quiet, lifecycle });
  history = createHistoryReader({ directory: map, nodes });
  const parts = splitByNode({ batchId: randomUUID(), acceptedAt: 0, scans }, 'job', map.snapshot());
  for (const part of parts.values()) await storeParts(a, 0, [part]);
});

afterEach(async () => {
  await lifecycle.stop(5_000);
  for (const database of databases) await database.drop();
});

const rides = async () => (await history.rides(skierId, { limit: 10 })).found.map(({ eventId }) => eventId);
const all = scans.map(({ eventId }) => eventId).toReversed();

describe('a reader with the old map', () => {
  test('learns from Postgres that the leaf has left, reads the map again and finds the history whole', async () => {
    expect(await rides()).toEqual(all);
    await moveLeaves(a, b, 2);
    map.place([2], 2);
    expect(await rides()).toEqual(all);
    expect(map.reloads).toBe(1);
    expect((await history.dayVertical(skierId, 1, 2025, 1)).found).toBe(
      scans.reduce((sum, { verticalM }) => sum + verticalM, 0),
    );
    expect((await history.seasons(skierId)).found).toEqual([
      expect.objectContaining({ season: 2025, days: 1, rides: 3 }),
    ]);
  });

  test('never shows an empty history while the map is behind: 503', async () => {
    await moveLeaves(a, b, 2);
    await expect(rides()).rejects.toMatchObject({ code: 'node_unavailable' });
    map.place([2], 2);
    expect(await rides()).toEqual(all);
  });

  test('sums of a resort count a shard once, wherever it is', async () => {
    const before = (await history.resortDay(1, 2025, 1)).found;
    expect(before).toMatchObject({ skiers: 1, rides: 3 });
    expect(before.lifts.reduce((sum, lift) => sum + lift.rides, 0)).toBe(3);
    await moveLeaves(a, b, 2);
    map.place([2], 2);
    await map.reload();
    const after = (await history.resortDay(1, 2025, 1)).found;
    expect({ ...after, lifts: after.lifts.length }).toEqual({ ...before, lifts: before.lifts.length });
    expect(await history.resortSkiers(1, 2025, 1)).toBe(1);
    expect(await history.storedSeasons(1)).toEqual([2025]);
    expect(await history.storedSeasons(9)).toEqual([]);
  });
});
