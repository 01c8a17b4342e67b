import { randomUUID } from 'node:crypto';
import { Client, type Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { ChangeFeed } from '../../src/shards/change-feed.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import { type Changed, NodeChanges, resortDayKey } from '../../src/shards/node-changes.ts';
import { forgetChanges } from '../../src/shards/changes-upkeep.ts';
import { openReadNodes, type ReadNodes } from '../../src/shards/read-nodes.ts';
import { keepAsOf } from '../../src/shards/as-of.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { openTestPool, prepareNodes, quiet, scanNo, skierOn, TestMap, testLifecycle } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const SKIER = skierOn(0);
const OTHER = skierOn(2);

let lifecycle = testLifecycle();
let database: TestDatabase;
let proxy: FaultProxy;
let pool: Pool;
let map: TestMap;
let history: HistoryReader;
let number = 0;

/** One node behind a proxy; writes go past it. */
beforeEach(async () => {
  lifecycle = testLifecycle();
  database = await freshDatabase();
  await prepareNodes(new TestMap([database.url]).snapshot());
  proxy = await startFaultProxy(database.url);
  map = new TestMap([proxy.url]);
  pool = openTestPool(database.url, lifecycle);
  history = createHistoryReader({ directory: map, nodes: readNodes() });
});

afterEach(async () => {
  await lifecycle.stop(10_000);
  await proxy.close();
  await database.drop();
});

const readNodes = () => openReadNodes({ poolSize: 2, timeoutMs: 500, logger: quiet, lifecycle });

async function store(skierIds: number[], via: Pool | Client = pool, day = 1): Promise<void> {
  const scans = skierIds.map((skierId) => scanNo((number += 1), { skierId, resortId: 1, day, date: '2026-01-10' }));
  const parts = splitByNode({ batchId: randomUUID(), acceptedAt: 0, scans }, 'job', map.snapshot());
  for (const part of parts.values()) await storeParts(via as Pool, 0, [part]);
}

/** @returns the skiers that a poll tells of, in order */
const skiersOf = async (node: NodeChanges) => {
  const changed = await node.poll(pool);
  return changed === 'all' ? 'all' : [...new Set(changed.flatMap(({ skiers }) => skiers))].toSorted((a, b) => a - b);
};

const openFeed = () => new ChangeFeed({ directory: map, nodes: readNodes(), logger: quiet, lifecycle });

const positionOf = async (skierId: number) => (await history.rides(skierId, { limit: 10 })).at.position;

describe('what a node has changed', () => {
  const changes = new NodeChanges();
  const poll = () => skiersOf(changes);

  test('is told once, whatever was stored between two polls; the first poll knows of nothing', async () => {
    const node = new NodeChanges();
    await store([SKIER]);
    expect(await skiersOf(node)).toBe('all');
    expect(await skiersOf(node)).toEqual([]);
    await store([SKIER, OTHER]);
    await store([OTHER]);
    expect(await skiersOf(node)).toEqual([SKIER, OTHER].toSorted((a, b) => a - b));
    expect(await skiersOf(node)).toEqual([]);
  });

  test('is told by the next poll when the answer to one came too late', async () => {
    const node = new NodeChanges();
    await node.poll(pool);
    await store([SKIER]);
    await expect(node.poll(pool, () => true)).rejects.toThrow('too late');
    expect(await skiersOf(node)).toEqual([SKIER]);
  });

  test('is told of transactions that commit in another order than they began in', async () => {
    const [slow, quick] = [await openClient(), await openClient()];
    await poll();
    await slow.query('BEGIN');
    await store([SKIER], slow);
    await quick.query('BEGIN');
    await store([OTHER], quick);
    expect(await poll()).toEqual([]);
    await quick.query('COMMIT');
    expect(await poll()).toEqual([OTHER]);
    const before = await positionOf(SKIER);
    expect(changes.isCurrent(SKIER, before)).toBe(true);
    await slow.query('COMMIT');
    expect(await poll()).toEqual([SKIER]);
    expect(changes.isCurrent(SKIER, before)).toBe(false);
    expect(changes.isCurrent(OTHER, before)).toBe(true);
    expect(changes.isCurrent(SKIER, await positionOf(SKIER))).toBe(true);
  });

  test('of two changes in one poll an answer must have seen both', async () => {
    const [first, second] = [await openClient(), await openClient()];
    await poll();
    await first.query('BEGIN');
    await store([SKIER], first);
    await second.query('BEGIN');
    await store([SKIER], second, 2); // of another day, or it would wait for the first one
    await second.query('COMMIT');
    const between = await positionOf(SKIER);
    await first.query('COMMIT');
    await poll();
    expect(changes.isCurrent(SKIER, between)).toBe(false);
    expect(changes.isCurrent(SKIER, await positionOf(SKIER))).toBe(true);
  });

  test('a resort’s day changes with each of its skiers', async () => {
    await poll();
    const { positions } = await history.resortDay(1, 2025, 1);
    const position = positions.get(1) ?? { identity: '', snapshot: '' };
    await poll();
    expect(changes.isCurrent(resortDayKey(1, 2025, 1), position)).toBe(true);
    await store([SKIER]);
    await poll();
    expect(changes.isCurrent(resortDayKey(1, 2025, 1), position)).toBe(false);
    expect(changes.isCurrent(resortDayKey(1, 2025, 2), position)).toBe(true);
  });

  test('nothing that was read before it began to look is current, nor what another node’s data gave', async () => {
    const old = await positionOf(SKIER);
    await store([OTHER]);
    const node = new NodeChanges();
    expect(node.isCurrent(SKIER, await positionOf(SKIER))).toBe(false);
    await node.poll(pool);
    expect(node.isCurrent(SKIER, old)).toBe(false);
    const fresh = await positionOf(SKIER);
    expect(node.isCurrent(SKIER, fresh)).toBe(true);
    expect(node.isCurrent(SKIER, { ...fresh, identity: randomUUID() })).toBe(false);
    expect(node.isCurrent(SKIER, { ...fresh, snapshot: 'nonsense' })).toBe(false);
    await pool.query('UPDATE node_identity SET identity = gen_random_uuid()');
    expect(await skiersOf(node)).toBe('all');
    expect(node.isCurrent(SKIER, fresh)).toBe(false);
  });

  test('agrees with every read, whatever the order of many writers', { timeout: 60_000 }, async () => {
    const node = new NodeChanges();
    await node.poll(pool);
    const run = { isOver: false };
    const writers = [1, 2, 3, 4].map(async (n) => {
      const client = await openClient();
      for (let i = 0; i < 40; i += 1) {
        await client.query('BEGIN');
        await store([n % 2 ? SKIER : OTHER], client);
        if ((i + n) % 3 === 0) await client.query('SELECT pg_sleep(0.01)');
        await client.query('COMMIT');
      }
    });
    const all = Promise.all(writers).finally(() => {
      run.isOver = true;
    });
    let [changed, untold, isCurrentAfterAll] = [0, 0, false];
    while (!run.isOver) {
      const answer = await history.rides(SKIER, { limit: 1_000 });
      await node.poll(pool);
      const isCurrent = node.isCurrent(SKIER, answer.at.position);
      const again = await history.rides(SKIER, { limit: 1_000 });
      await node.poll(pool);
      if (again.found.length === answer.found.length) continue;
      changed += 1;
      // what a later read has more must have been told by then
      if (node.isCurrent(SKIER, answer.at.position)) untold += 1;
      isCurrentAfterAll ||= isCurrent;
    }
    await all;
    expect(changed).toBeGreaterThan(5);
    expect(untold).toBe(0);
    expect(isCurrentAfterAll).toBe(true);
  });

  test('rows of changes are forgotten after a while', async () => {
    await store([SKIER]);
    await pool.query(`UPDATE changes SET changed_at = now() - interval '11 minutes'`);
    await store([OTHER]);
    await forgetChanges(pool);
    const { rows } = await pool.query<{ skiers: number[] }>('SELECT skiers FROM changes');
    expect(rows).toEqual([{ skiers: [OTHER] }]);
  });
});

describe('the change feed', () => {
  test('tells listeners of their skier alone, and what is current; an answer gets the newer asOf', async () => {
    const feed = openFeed();
    const heard = { skier: 0, other: 0 };
    const end = feed.onChange(SKIER, () => (heard.skier += 1));
    feed.onChange(OTHER, () => (heard.other += 1));
    await until('it has begun', async () => feed.isCurrent(SKIER, await positionOf(SKIER)));
    const position = await positionOf(SKIER);
    const before = { ...heard };
    await store([SKIER]);
    await until('the skier’s listener is told', () => heard.skier > before.skier);
    expect(heard.other).toBe(before.other);
    expect(feed.isCurrent(SKIER, position)).toBe(false);
    expect(feed.asOf(SKIER)).toBeNull();
    await keepAsOf(pool, randomUUID(), [{ lane: 0, asOf: 1_000 }]);
    await until('asOf is told', () => feed.asOf(SKIER) === 1_000);
    end();
    const told = heard.skier;
    await store([SKIER, OTHER]);
    await until('the other’s is told', () => heard.other > before.other);
    expect(heard.skier).toBe(told);
  });

  test('while the node is away nothing is current; afterwards what was missed is told, and what was not changed still holds', async () => {
    const feed = openFeed();
    await until('it has begun', async () => feed.isCurrent(SKIER, await positionOf(SKIER)));
    const [mine, others] = [await positionOf(SKIER), await positionOf(OTHER)];
    proxy.goSilent();
    await until('nobody knows', () => !feed.isCurrent(SKIER, mine));
    await store([SKIER]);
    await proxy.open();
    await until('it is back', () => feed.isCurrent(OTHER, others));
    expect(feed.isCurrent(SKIER, mine)).toBe(false);
  });

  test('a shard that was moved has another epoch', async () => {
    const feed = openFeed();
    await until('it has begun', async () => feed.isCurrent(SKIER, await positionOf(SKIER)));
    const position = await positionOf(SKIER);
    expect(feed.isCurrent(SKIER, { ...position, epoch: position.epoch + 1 })).toBe(false);
  });
});

/** Ends with the test. */
async function openClient(): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  lifecycle.onStop('client', () => client.end());
  return client;
}

test('what a poll has found whose answer comes too late is told by the next one in time, once', async () => {
  const nodes = readNodes();
  const late = { isOn: false, sent: 0, answered: 0 };
  const of: ReadNodes['of'] = (address) => {
    const node = nodes.of(address);
    return {
      ...node,
      run(ask) {
        const work = node.run(ask);
        if (!late.isOn) return work;
        late.sent += 1;
        void work.catch(() => {}).finally(() => (late.answered += 1));
        return Promise.reject(new Problem('node_unavailable', 'no answer in time'));
      },
    };
  };
  const feed = new ChangeFeed({ directory: map, nodes: { of }, logger: quiet, lifecycle });
  const told: Changed[] = [];
  feed.onNews(({ changed }) => told.push(changed));
  await until('it has begun', () => told.length > 0);
  late.isOn = true;
  await store([SKIER]);
  const before = late.sent;
  await until('late answers tell of it', () => late.answered > before);
  late.isOn = false;
  const skiersTold = () =>
    told.flatMap((changed) => (changed === 'all' ? [] : changed.flatMap(({ skiers }) => skiers)));
  await until('it is told', () => skiersTold().length > 0);
  const polls = told.length;
  await until('there are more polls', () => told.length > polls + 2);
  expect(skiersTold()).toEqual([SKIER]);
});
