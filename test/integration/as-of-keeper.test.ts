import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { AsOfAge } from '../../workers/as-of-age.ts';
import { startAsOfKeeper } from '../../workers/as-of-keeper.ts';
import { openTestPool, prepareNodes, quiet, TestMap, testLifecycle } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';

const AGES_AGO = Date.UTC(2020, 0);
/** on the queue's clock, for the age of what is told */
const NOW = Date.UTC(2020, 1);

let lifecycle: Lifecycle;
let databases: TestDatabase[];
let proxy: FaultProxy;
let pools: Pool[];
let map: TestMap;
/** of the keeper that was started last */
let registry: Registry;

/** Two nodes with both lanes each, the second behind a proxy. */
beforeEach(async () => {
  lifecycle = testLifecycle();
  databases = [await freshDatabase(), await freshDatabase()];
  const urls = databases.map(({ url }) => url);
  const direct = new TestMap(urls);
  await prepareNodes(direct.snapshot());
  proxy = await startFaultProxy(urls[1] ?? '');
  map = new TestMap([urls[0] ?? '', proxy.url]);
  pools = urls.map((url) => openTestPool(url, lifecycle));
});

afterEach(async () => {
  await lifecycle.stop(10_000);
  await proxy.close();
  for (const database of databases) await database.drop();
});

/** A keeper with a life of its own. @param read as `CompleteUntil` says */
function startKeeper(read: (lane: number) => Promise<number | undefined>, lanes = [0, 1]): Lifecycle {
  const own = new Lifecycle({ logger: quiet });
  lifecycle.onStop('keeper', () => own.stop(10_000));
  const nodes = openReadNodes({ poolSize: 1, timeoutMs: 500, logger: quiet, lifecycle: own });
  registry = new Registry();
  const age = new AsOfAge(registry, () => NOW);
  startAsOfKeeper({ directory: map, nodes, lanes, completeUntil: { read }, age, logger: quiet, lifecycle: own });
  return own;
}

interface Row {
  asOf: number;
  keeper: string;
}

/** @returns what a node says of a lane */
async function rowOf(node: number, lane: number): Promise<Row | undefined> {
  const { rows } = await (pools[node] as Pool).query<Row>(
    'SELECT (extract(epoch FROM as_of) * 1000)::float8 AS "asOf", keeper FROM lane_as_of WHERE lane = $1',
    [lane],
  );
  return rows[0];
}

/** @returns when its keeper last showed up, milliseconds since the epoch on the node's clock */
async function keptAt(node: number, lane: number): Promise<number> {
  const { rows } = await (pools[node] as Pool).query<{ ms: number }>(
    'SELECT (extract(epoch FROM kept_at) * 1000)::float8 AS ms FROM lane_as_of WHERE lane = $1',
    [lane],
  );
  return rows[0]?.ms ?? Number.NaN;
}

const untilTold = (node: number, lane: number, isIt: (asOf: number) => boolean) =>
  until(`node ${node} tells it of lane ${lane}`, async () => isIt((await rowOf(node, lane))?.asOf ?? Number.NaN));

/** @returns how far behind the keeper that was started last says a lane to be on the first node, in seconds as text */
async function ageOf(lane: number): Promise<string | undefined> {
  const line = new RegExp(`^liftline_as_of_age_seconds{lane="${lane}",node="node-1"} (.*)$`, 'm');
  return line.exec(await registry.metrics())?.[1];
}

async function allOnOneNode(): Promise<void> {
  map.place([...map.snapshot().nodeOfShard.keys()], 1);
  await map.reload();
}

describe('the keeper of asOf', () => {
  test('tells every node that has shards of a lane, again and again', async () => {
    let now = AGES_AGO;
    startKeeper((lane) => Promise.resolve((now += 1) + lane * 1_000_000));
    // both nodes have shards of lanes 0 and 1: the map of tests puts shard and lane apart
    for (const shard of [0, 1, 2, 3]) map.place([shard], (shard >> 1) + 1);
    await map.reload();
    for (const node of [0, 1]) {
      for (const lane of [0, 1]) await untilTold(node, lane, (asOf) => asOf > AGES_AGO);
      const before = (await rowOf(node, 0))?.asOf ?? 0;
      await untilTold(node, 0, (asOf) => asOf > before);
    }
    expect((await rowOf(0, 1))?.asOf).toBeGreaterThan(AGES_AGO + 1_000_000);
  });

  test('never takes back what it told, and leaves alone what nobody can tell', async () => {
    const answers = [AGES_AGO + 5_000, AGES_AGO, undefined];
    let asked = 0;
    startKeeper(() => Promise.resolve(answers[Math.min(asked++, answers.length - 1)]), [0]);
    await until('it was asked often', () => asked > 6);
    expect((await rowOf(0, 0))?.asOf).toBe(AGES_AGO + 5_000);
  });

  test('while the queue is away it keeps its lanes, and goes on afterwards', async () => {
    let isAway = false;
    let refused = 0;
    startKeeper(() => {
      if (!isAway) return Promise.resolve(Date.now());
      refused += 1;
      return Promise.reject(new Error('away'));
    }, [0]);
    await untilTold(0, 0, (asOf) => asOf > AGES_AGO);
    isAway = true;
    await until('what was asked before is told', () => refused >= 2);
    const stood = await rowOf(0, 0);
    await until('it is away for long', () => refused >= 6);
    expect(await rowOf(0, 0)).toEqual(stood);
    isAway = false;
    await untilTold(0, 0, (asOf) => asOf > (stood?.asOf ?? 0));
    expect((await rowOf(0, 0))?.keeper).toBe(stood?.keeper);
  });

  test('a lane that does not answer holds no other up, and is told once it has answered', async () => {
    await allOnOneNode();
    const answer = Promise.withResolvers<number>();
    startKeeper((lane) => (lane === 0 ? answer.promise : Promise.resolve(Date.now())));
    await untilTold(0, 1, (asOf) => asOf > AGES_AGO);
    const before = (await rowOf(0, 1))?.asOf ?? 0;
    await untilTold(0, 1, (asOf) => asOf > before + 1_000);
    expect((await rowOf(0, 0))?.asOf).toBe(Number.NEGATIVE_INFINITY);
    answer.resolve(AGES_AGO);
    await untilTold(0, 0, (asOf) => asOf === AGES_AGO);
  });

  test('says how far behind its lanes are, and nothing of those that another keeps or that nobody has told', async () => {
    await allOnOneNode();
    const first = startKeeper((lane) =>
      lane === 0 ? Promise.resolve(NOW - 5_000) : Promise.reject(new Error('away')),
    );
    await until('it says so', async () => (await ageOf(0)) === '5');
    expect(await ageOf(1)).toBeUndefined();
    startKeeper(() => Promise.resolve(NOW - 2_000));
    const since = await keptAt(0, 0);
    await until('longer than a lease and an offer', async () => (await keptAt(0, 0)) > since + 3_000);
    expect([await ageOf(0), await ageOf(1)]).toEqual([undefined, undefined]);
    await first.stop(10_000);
    await until('the other says so', async () => (await ageOf(0)) === '2' && (await ageOf(1)) === '2');
  });

  test('is one of several; another takes over when it has gone', async () => {
    const first = startKeeper(() => Promise.resolve(AGES_AGO));
    await untilTold(0, 0, (asOf) => asOf === AGES_AGO);
    const keeper = (await rowOf(0, 0))?.keeper;
    let asked = 0;
    startKeeper(() => {
      asked += 1;
      return Promise.resolve(Date.now());
    });
    const since = await keptAt(0, 0);
    await until('longer than a lease and an offer', async () => (await keptAt(0, 0)) > since + 3_000);
    expect([asked, (await rowOf(0, 0))?.keeper]).toEqual([0, keeper]);
    await first.stop(10_000);
    await untilTold(0, 0, (asOf) => asOf > AGES_AGO);
    expect((await rowOf(0, 0))?.keeper).not.toBe(keeper);
  });

  test('a node that is away holds nobody up, and is told when it is back', async () => {
    map.place([0, 1, 2, 3], 1);
    map.place([4, 5, 6, 7], 2);
    await map.reload();
    proxy.goSilent();
    startKeeper(() => Promise.resolve(Date.now()));
    await untilTold(0, 0, (asOf) => asOf > AGES_AGO);
    const before = (await rowOf(0, 0))?.asOf ?? 0;
    await untilTold(0, 0, (asOf) => asOf > before + 1_000);
    expect(await rowOf(1, 0)).toBeUndefined();
    await proxy.open();
    await untilTold(1, 0, (asOf) => asOf > AGES_AGO);
  });
});
