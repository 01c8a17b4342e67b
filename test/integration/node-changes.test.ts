import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { forgetChanges } from '../../src/shards/changes-upkeep.ts';
import { NodeChanges, resortDayKey } from '../../src/shards/node-changes.ts';
import { skierOn } from '../support/nodes.ts';
import { type OneNode, oneNodeATest } from '../support/one-node.ts';

const SKIER = skierOn(0);
const OTHER = skierOn(2);

const node = oneNodeATest();
const store: OneNode['store'] = (...what) => node().store(...what);
const positionOf = (skierId: number) => node().positionOf(skierId);

/** @returns the skiers that a poll tells of, in order */
const skiersOf = async (changes: NodeChanges) => {
  const changed = await changes.poll(node().pool);
  return changed === 'all' ? 'all' : [...new Set(changed.flatMap(({ skiers }) => skiers))].toSorted((a, b) => a - b);
};

describe('what a node has changed', () => {
  const changes = new NodeChanges();
  const poll = () => skiersOf(changes);

  test('is told once, whatever was stored between two polls; the first poll knows of nothing', async () => {
    const follower = new NodeChanges();
    await store([SKIER]);
    expect(await skiersOf(follower)).toBe('all');
    expect(await skiersOf(follower)).toEqual([]);
    await store([SKIER, OTHER]);
    await store([OTHER]);
    expect(await skiersOf(follower)).toEqual([SKIER, OTHER].toSorted((a, b) => a - b));
    expect(await skiersOf(follower)).toEqual([]);
  });

  test('is told by the next poll when the answer to one came too late', async () => {
    const follower = new NodeChanges();
    await follower.poll(node().pool);
    await store([SKIER]);
    await expect(follower.poll(node().pool, () => true)).rejects.toThrow('too late');
    expect(await skiersOf(follower)).toEqual([SKIER]);
  });

  test('is told of transactions that commit in another order than they began in', async () => {
    const [slow, quick] = [node().openConnection(), node().openConnection()];
    await poll();
    await slow.query('BEGIN');
    await store([SKIER], { via: slow });
    await quick.query('BEGIN');
    await store([OTHER], { via: quick });
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
    const [first, second] = [node().openConnection(), node().openConnection()];
    await poll();
    await first.query('BEGIN');
    await store([SKIER], { via: first });
    await second.query('BEGIN');
    await store([SKIER], { via: second, day: 2 }); // of another day, or it would wait for the first one
    await second.query('COMMIT');
    const between = await positionOf(SKIER);
    await first.query('COMMIT');
    await poll();
    expect(changes.isCurrent(SKIER, between)).toBe(false);
    expect(changes.isCurrent(SKIER, await positionOf(SKIER))).toBe(true);
  });

  test('a resort’s day changes with each of its skiers', async () => {
    await poll();
    const { positions } = await node().history.resortDay(1, 2025, 1);
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
    const follower = new NodeChanges();
    expect(follower.isCurrent(SKIER, await positionOf(SKIER))).toBe(false);
    await follower.poll(node().pool);
    expect(follower.isCurrent(SKIER, old)).toBe(false);
    const fresh = await positionOf(SKIER);
    expect(follower.isCurrent(SKIER, fresh)).toBe(true);
    expect(follower.isCurrent(SKIER, { ...fresh, identity: randomUUID() })).toBe(false);
    expect(follower.isCurrent(SKIER, { ...fresh, snapshot: 'nonsense' })).toBe(false);
    await node().pool.query('UPDATE node_identity SET identity = gen_random_uuid()');
    expect(await skiersOf(follower)).toBe('all');
    expect(follower.isCurrent(SKIER, fresh)).toBe(false);
  });

  test('agrees with every read, whatever the order of many writers', { timeout: 60_000 }, async () => {
    const follower = new NodeChanges();
    await follower.poll(node().pool);
    const run = { isOver: false };
    const writers = [1, 2, 3, 4].map(async (n) => {
      const connection = node().openConnection();
      for (let i = 0; i < 40; i += 1) {
        await connection.query('BEGIN');
        await store([n % 2 ? SKIER : OTHER], { via: connection });
        if ((i + n) % 3 === 0) await connection.query('SELECT pg_sleep(0.01)');
        await connection.query('COMMIT');
      }
    });
    const all = Promise.all(writers).finally(() => {
      run.isOver = true;
    });
    let [changed, untold, isCurrentAfterAll] = [0, 0, false];
    while (!run.isOver) {
      const answer = await node().history.rides(SKIER, { limit: 1_000 });
      await follower.poll(node().pool);
      const isCurrent = follower.isCurrent(SKIER, answer.at.position);
      const again = await node().history.rides(SKIER, { limit: 1_000 });
      await follower.poll(node().pool);
      if (again.found.length === answer.found.length) continue;
      changed += 1;
      // what a later read has more must have been told by then
      if (follower.isCurrent(SKIER, answer.at.position)) untold += 1;
      isCurrentAfterAll ||= isCurrent;
    }
    await all;
    expect(changed).toBeGreaterThan(5);
    expect(untold).toBe(0);
    expect(isCurrentAfterAll).toBe(true);
  });

  test('rows of changes are forgotten after a while', async () => {
    await store([SKIER]);
    await node().pool.query(`UPDATE changes SET changed_at = now() - interval '11 minutes'`);
    await store([OTHER]);
    await forgetChanges(node().pool);
    const { rows } = await node().pool.query<{ skiers: number[] }>('SELECT skiers FROM changes');
    expect(rows).toEqual([{ skiers: [OTHER] }]);
  });
});
