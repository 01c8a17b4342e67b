import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import { keepAsOf } from '../../src/shards/as-of.ts';
import { ChangeFeed } from '../../src/shards/change-feed.ts';
import type { Changed } from '../../src/shards/node-changes.ts';
import type { ReadNodes } from '../../src/shards/read-nodes.ts';
import { quiet, skierOn } from '../support/nodes.ts';
import { type OneNode, oneNodeATest } from '../support/one-node.ts';
import { until } from '../support/until.ts';

const SKIER = skierOn(0);
const OTHER = skierOn(2);

const node = oneNodeATest();
const store: OneNode['store'] = (...what) => node().store(...what);
const positionOf = (skierId: number) => node().positionOf(skierId);

const openFeed = () => {
  const { map, lifecycle, readNodes } = node();
  return new ChangeFeed({ directory: map, nodes: readNodes(), logger: quiet, lifecycle });
};

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
    await keepAsOf(node().pool, randomUUID(), [{ lane: 0, asOf: 1_000 }]);
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
    node().proxy.goSilent();
    await until('nobody knows', () => !feed.isCurrent(SKIER, mine));
    await store([SKIER]);
    await node().proxy.open();
    await until('it is back', () => feed.isCurrent(OTHER, others));
    expect(feed.isCurrent(SKIER, mine)).toBe(false);
  });

  test('a shard that was moved has another epoch', async () => {
    const feed = openFeed();
    await until('it has begun', async () => feed.isCurrent(SKIER, await positionOf(SKIER)));
    const position = await positionOf(SKIER);
    expect(feed.isCurrent(SKIER, { ...position, epoch: position.epoch + 1 })).toBe(false);
  });

  test('what a poll has found whose answer comes too late is told by the next one in time, once', async () => {
    const nodes = node().readNodes();
    const late = { isOn: false, sent: 0, answered: 0 };
    const of: ReadNodes['of'] = (address) => {
      const reader = nodes.of(address);
      return {
        ...reader,
        run(ask) {
          const work = reader.run(ask);
          if (!late.isOn) return work;
          late.sent += 1;
          void work.catch(() => {}).finally(() => (late.answered += 1));
          return Promise.reject(new Problem('node_unavailable', 'no answer in time'));
        },
      };
    };
    const feed = new ChangeFeed({ directory: node().map, nodes: { of }, logger: quiet, lifecycle: node().lifecycle });
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
});
