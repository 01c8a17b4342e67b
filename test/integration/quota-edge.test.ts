import { afterEach, describe, expect, test } from 'vitest';
import { addDevice } from '../../src/directory/add-device.ts';
import { goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { messageStatus, problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

const batchOf = (count: number) => ({
  scans: Array.from({ length: count }, (_, i) => goodScan({ skierId: i + 1 })),
});
const RIDE = '/skiers/1/seasons/2025/days/1/skiers/1';

let edge: TestEdge;
let redis: TestRedis | undefined;
afterEach(async () => {
  await edge.stop();
  await redis?.stop();
  redis = undefined;
});

/** @returns the key of a second device, once the edge knows it */
async function secondDevice(): Promise<string> {
  const { key } = await addDevice(edge.directory, 'gate 2');
  const asSecond = { authorization: `Bearer ${key}` };
  await until('the edge knows the second device', async () => {
    return (await edge.post('/v1/scans', { no: 'scan' }, asSecond)).status === 400;
  });
  return key;
}

test('a device over its quota is answered 429 on every route, with the headers, and nobody else is', async () => {
  // time stands still: nothing comes back
  edge = await startEdge({ quota: { scansPerS: 100, burstScans: 1_000, nowMs: () => 0 }, skiDataApi: 'open' });
  const second = await secondDevice();
  expect((await edge.post('/v1/scans/batch', batchOf(998))).status).toBe(202);
  expect((await edge.post('/v1/scans', goodScan())).status).toBe(202);

  const tooMany = await edge.post('/v1/scans/batch', batchOf(102));
  expect(tooMany.headers.get('ratelimit')).toBe('"device-scans";r=1;t=2');
  expect(tooMany.headers.get('retry-after')).toBe('2');
  expect(await problemOf(tooMany)).toEqual([429, 'quota_exceeded']);

  expect((await edge.post(RIDE, { time: 1, liftID: 1 })).status).toBe(201);
  const single = await edge.post('/v1/scans', goodScan());
  expect(single.headers.get('ratelimit-policy')).toBe('"device-scans";q=1000;w=10');
  expect(single.headers.get('ratelimit')).toBe('"device-scans";r=0;t=1');
  expect(single.headers.get('retry-after')).toBe('1');
  expect(await problemOf(single)).toEqual([429, 'quota_exceeded']);
  const ride = await edge.post(RIDE, { time: 2, liftID: 1 });
  expect(ride.headers.get('ratelimit')).toBe('"device-scans";r=0;t=1');
  expect(ride.headers.get('retry-after')).toBe('1');
  expect(await messageStatus(ride)).toBe(429);
  expect((await edge.post('/v1/scans/batch', 'not even read')).status).toBe(429);

  expect((await edge.post('/v1/scans', goodScan(), { authorization: `Bearer ${second}` })).status).toBe(202);
  expect((await edge.post(RIDE, { time: 3, liftID: 1 }, { authorization: 'none' })).status).toBe(201);
  expect(await edge.queued()).toHaveLength(998 + 4);
  expect(await edge.metrics()).toContain('liftline_edge_scans_refused_total{reason="quota_exceeded"} 4');
});

/** Sends far more at once than the edge may hold. @returns the quiet gate's statuses */
async function quietBesideLoud(refusedAs: number): Promise<number[]> {
  const asQuiet = { authorization: `Bearer ${await secondDevice()}` };
  redis?.signal('SIGSTOP');
  const statuses: number[] = [];
  const loud = Array.from({ length: 20 }, async () => {
    statuses.push((await edge.post('/v1/scans/batch', batchOf(1_000))).status);
  });
  await until('the loud gate is refused', () => statuses.includes(refusedAs));
  const quiet = Promise.all(
    Array.from({ length: 10 }, (_, i) => edge.post('/v1/scans', goodScan({ skierId: i + 1 }), asQuiet)),
  );
  await until('all that can be answered is', () => statuses.filter((status) => status === refusedAs).length >= 10);
  redis?.signal('SIGCONT');
  await Promise.all(loud);
  return (await quiet).map(({ status }) => status);
}

describe.skipIf(!redisAvailable)('a loud gate beside a quiet one, while the queue is slow', () => {
  test('with a quota the quiet one has its place', async () => {
    redis = await startRedis();
    const quota = { scansPerS: 1, burstScans: 1_000 };
    edge = await startEdge({ queueUrl: redis.url, maxPendingScans: 3_000, ackDeadlineMs: 10_000, quota });
    expect(new Set(await quietBesideLoud(429))).toEqual(new Set([202]));
  });

  test('without one it is refused as well: that is what the quota is for', async () => {
    redis = await startRedis();
    edge = await startEdge({ queueUrl: redis.url, maxPendingScans: 3_000, ackDeadlineMs: 10_000 });
    expect(await quietBesideLoud(503)).toContain(503);
  });
});
