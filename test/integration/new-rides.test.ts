import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import type { RideRow } from '../../src/shards/history-rows.ts';
import type { NewRides, Since } from '../../src/shards/new-rides.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { openTestPool, prepareNodes, quiet, scanNo, skierOn, TestMap, testLifecycle } from '../support/nodes.ts';
import { onPool } from '../support/on-pool.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { startSystemPostgres, type SystemPostgres, systemPostgresAvailable } from '../support/system-postgres.ts';

const SKIER = skierOn(0);
const WRITERS = 4;
const WRITES = 30;

interface Followed {
  /** every ride that a delta told, as often as it did */
  told: RideRow[];
  /** what a reader has who asks for rides that were scanned after the newest one it knows */
  naive: Set<string>;
}

/** Writers whose transactions overlap and commit in any order; rides of any time, half of them late. */
async function writeAll(url: string, map: TestMap): Promise<void> {
  let number = 0;
  const writer = async (n: number) => {
    const connection = new Pool({ connectionString: url, max: 1 });
    for (let i = 0; i < WRITES; i += 1) {
      number += 1;
      const late = number % 2 === 0 ? 0 : -10_000_000;
      const scan = scanNo(number, {
        skierId: SKIER,
        day: 1 + n,
        scannedAt: Date.UTC(2026, 0, 10) + late + number * 997,
      });
      const parts = splitByNode({ batchId: randomUUID(), acceptedAt: 0, scans: [scan] }, 'job', map.snapshot());
      await connection.query('BEGIN');
      for (const part of parts.values()) await storeParts(connection, 0, [part]);
      await delay((number * 7) % 23);
      await connection.query('COMMIT');
    }
    await connection.end();
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, n) => writer(n)));
}

/** Applies what is new again and again, in small pages, and once more when everything can be read. */
async function follow(history: HistoryReader, start: Since, isWritten: () => boolean): Promise<Followed> {
  const told: RideRow[] = [];
  const naive = new Map<string, RideRow>();
  for (let since = start, last = false; ; ) {
    const { found } = await history.rides(SKIER, { limit: 1_000 });
    last = isWritten() && found.length === WRITERS * WRITES;
    const newest = Math.max(0, ...[...naive.values()].map(({ scannedAt }) => scannedAt));
    for (const ride of found) if (ride.scannedAt > newest) naive.set(ride.eventId, ride);
    for (let page: NewRides | undefined; page === undefined || page.hasMore; ) {
      page = await history.newRides(SKIER, since, { limit: 3 });
      expect(page.isReset).toBe(false);
      told.push(...page.rides);
      since = page.next;
    }
    if (last) return { told, naive: new Set(naive.keys()) };
  }
}

async function writeAndFollow(o: { write: string; map: TestMap; history: HistoryReader }): Promise<Followed> {
  const { at } = await o.history.rides(SKIER, { limit: 1 });
  const { snapshot: seen, ...where } = at.position;
  const run = { isOver: false };
  const writing = writeAll(o.write, o.map).finally(() => {
    run.isOver = true;
  });
  const followed = await follow(o.history, { ...where, seen }, () => run.isOver);
  await writing;
  return followed;
}

const historyOn = (map: TestMap, lifecycle: Lifecycle) =>
  createHistoryReader({
    directory: map,
    nodes: openReadNodes({ poolSize: 2, timeoutMs: 5_000, logger: quiet, lifecycle }),
  });

const idsOf = (rides: RideRow[]) => rides.map(({ eventId }) => eventId);

describe('what is new since a position, while many write', () => {
  const lifecycle = testLifecycle();
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
    await prepareNodes(new TestMap([database.url]).snapshot());
  });
  afterAll(async () => {
    await lifecycle.stop(10_000);
    await database.drop();
  });

  test('is every ride exactly once, whatever the order of commits and times; by time some are missed', async () => {
    const map = new TestMap([database.url]);
    const history = historyOn(map, lifecycle);
    const { told, naive } = await writeAndFollow({ write: database.url, map, history });
    const all = idsOf((await history.rides(SKIER, { limit: 1_000 })).found);
    expect(all).toHaveLength(WRITERS * WRITES);
    expect(idsOf(told).toSorted()).toEqual(all.toSorted());
    expect(naive.size).toBeLessThan(all.length); // the control
  });

  test('what was stored before a node knew of transactions is old to every position, and told to who starts anew', async () => {
    const map = new TestMap([database.url]);
    const history = historyOn(map, lifecycle);
    const pool = openTestPool(database.url, lifecycle);
    const { position } = (await history.rides(SKIER, { limit: 1 })).at;
    await pool.query('UPDATE scans SET stored_xid = NULL');
    const { snapshot: seen, ...where } = position;
    const since = await history.newRides(SKIER, { ...where, seen }, { limit: 1_000 });
    expect(since).toMatchObject({ rides: [], isReset: false });
    const anew = await history.newRides(SKIER, { ...where, identity: randomUUID(), seen }, { limit: 100 });
    expect([anew.rides.length, anew.isReset, anew.hasMore]).toEqual([100, true, true]);
    const rest = await history.newRides(SKIER, anew.next, { limit: 100 });
    expect([rest.rides.length, rest.isReset, rest.hasMore]).toEqual([WRITERS * WRITES - 100, false, false]);
  });
});

describe.skipIf(!systemPostgresAvailable)('what is new since a position, on a streaming replica', () => {
  const lifecycle = testLifecycle();
  let server: SystemPostgres;
  const on = (host: Pick<SystemPostgres, 'url'>) => historyOn(new TestMap([host.url('node')]), lifecycle);
  let replica: Pick<SystemPostgres, 'url' | 'stop'>;
  beforeAll(async () => {
    server = await startSystemPostgres();
    await server.admin('CREATE DATABASE node');
    await prepareNodes(new TestMap([server.url('node')]).snapshot());
    replica = await server.replica();
  });
  afterAll(async () => {
    await lifecycle.stop(10_000);
    await replica?.stop();
    await server?.stop();
  });

  test('is every ride, some perhaps twice', async () => {
    const map = new TestMap([replica.url('node')]);
    const history = historyOn(map, lifecycle);
    const { told, naive } = await writeAndFollow({ write: server.url('node'), map, history });
    const { found, at } = await history.rides(SKIER, { limit: 1_000 });
    expect(new Set(idsOf(told))).toEqual(new Set(idsOf(found)));
    expect(at.position.snapshot).toMatch(/^(\d+):\1:$/); // it can't tell which transactions are under way
    expect(naive.size).toBeLessThan(found.length);
  });

  test('when it takes over, what was read of the primary means nothing any more', async () => {
    const { position } = (await on(server).rides(SKIER, { limit: 1 })).at;
    const { snapshot: seen, ...where } = position;
    const since = { ...where, seen };
    expect((await on(replica).rides(SKIER, { limit: 1 })).at.position.identity).toBe(position.identity);
    expect(await on(replica).newRides(SKIER, since, { limit: 1_000 })).toMatchObject({ isReset: false });
    await onPool(replica.url('postgres'), (pool) => pool.query('SELECT pg_promote()'));
    const anew = await on(replica).newRides(SKIER, since, { limit: 1_000 });
    expect([anew.isReset, anew.rides.length]).toEqual([true, WRITERS * WRITES]);
    expect(await on(replica).newRides(SKIER, anew.next, { limit: 1_000 })).toMatchObject({ isReset: false, rides: [] });
    expect(await on(server).newRides(SKIER, since, { limit: 1_000 })).toMatchObject({ isReset: false });
  });
});
