import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepAsOf } from '../../src/shards/as-of.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { skierOn } from '../support/nodes.ts';

const KEEPER = '00000000-0000-4000-8000-000000000001';
/** Shards 0 and 1 are on different nodes, and in different lanes. */
const [HERE, THERE] = [skierOn(0), skierOn(1)];
const NOON = Date.UTC(2025, 11, 24, 12);

let side: ReadSide;
const pools = new Map<number, Pool>();
beforeAll(async () => {
  side = await startReadSide();
  const at = '2025-12-24T09:00:00Z';
  await side.store([HERE, THERE].map((skierId) => ({ skierId, liftId: 1, at })));
});
afterAll(async () => {
  for (const pool of pools.values()) await pool.end();
  await side.stop();
});

async function tell(skierId: number, lane: number, asOf: number | null): Promise<void> {
  const { nodeId, url } = side.nodeOf(skierId);
  const pool = pools.get(nodeId) ?? new Pool({ connectionString: url, max: 1 });
  pools.set(nodeId, pool);
  expect([...(await keepAsOf(pool, KEEPER, [{ lane, asOf }])).keys()]).toEqual([lane]);
}

async function asOfOf(path: string, skierId: number): Promise<unknown> {
  const answer = await side.json(path, await side.token(skierId));
  if (typeof answer !== 'object' || answer === null || !('asOf' in answer)) throw new Error(`${path} has no asOf`);
  return answer.asOf;
}

const routes = (skierId: number) =>
  ['rides', 'days', 'days/2025-12-24', 'seasons'].map((path) => `/v1/skiers/${skierId}/${path}`);

test('every answer says up to when the skier’s lane is complete; null until somebody has told', async () => {
  for (const path of routes(HERE)) expect([path, await asOfOf(path, HERE)]).toEqual([path, null]);
  await tell(HERE, 0, null);
  for (const path of routes(HERE)) expect([path, await asOfOf(path, HERE)]).toEqual([path, null]);
  await tell(HERE, 0, NOON);
  const text = '2025-12-24T12:00:00.000Z';
  for (const path of routes(HERE)) expect([path, await asOfOf(path, HERE)]).toEqual([path, text]);
  for (const path of routes(THERE)) expect([path, await asOfOf(path, THERE)]).toEqual([path, null]);
});

test('a resort’s day is as complete as the lane that is furthest behind', async () => {
  const path = '/v1/resorts/1/days/2025-12-24';
  await tell(HERE, 0, NOON);
  expect(await asOfOf(path, HERE)).toBeNull();
  await tell(THERE, 1, NOON - 60_000);
  expect(await asOfOf(path, HERE)).toBe('2025-12-24T11:59:00.000Z');
});
