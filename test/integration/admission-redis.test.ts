import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { percentOf } from '../../src/queue/admission-memory.ts';
import { startDrain } from '../support/drain-lanes.ts';
import { goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

const BOUND = { backlogAgeS: 0, backlogScans: 0, memoryPercent: 70 };
const PENDING = 5_000;
/** What comes between two looks is a lot for a server as small as this. */
const PACE_MS = 50;

let redis: TestRedis;
let admin: Redis;
let edge: TestEdge | undefined;
afterEach(async () => {
  await edge?.stop();
  edge = undefined;
  admin.disconnect();
  await redis.stop();
});

/** @param ballastMb of the memory is in use from the start */
async function start(maxmemory: string, ballastMb: number, admission?: typeof BOUND): Promise<void> {
  redis = await startRedis({ args: ['--maxmemory', maxmemory] });
  admin = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => 100 });
  admin.on('error', () => {}); // it is killed in one test
  await admin.connect();
  for (let i = 0; i < 16 * ballastMb; i += 1) await admin.set(`ballast ${i}`, Buffer.alloc(60_000));
  edge = await startEdge({
    queueUrl: redis.url,
    maxPendingScans: PENDING,
    ...(admission && { admission }),
  });
}

function running(): TestEdge {
  if (!edge) throw new Error('the edge does not run');
  return edge;
}

async function usedPercent(): Promise<number> {
  return percentOf(await admin.info('memory')) ?? 0;
}

let skierId = 0;
const post = (count: number) =>
  running().post('/v1/scans/batch', {
    scans: Array.from({ length: count }, () => goodScan({ skierId: (skierId += 1) })),
  });

/** Posts batches with nobody at work until one is refused as a whole. @returns the refusal, and the most that was pending */
async function fill(): Promise<{ refusal: Response; mostPending: number }> {
  let mostPending = 0;
  for (;;) {
    const refusal = await post(1_000);
    const text = await running().metrics();
    mostPending = Math.max(mostPending, Number(/liftline_edge_pending_scans (\d+)/.exec(text)?.[1]));
    if (refusal.status !== 202) return { refusal, mostPending };
    await refusal.body?.cancel();
    await delay(PACE_MS);
  }
}

async function changes(to: 'closed' | 'open'): Promise<number[]> {
  const text = await running().metrics();
  const pattern = new RegExp(`admission_changes_total{lane="\\d",reason="memory",to="${to}"} (\\d+)`, 'g');
  return [...text.matchAll(pattern)].map(([, count]) => Number(count));
}

describe.skipIf(!redisAvailable)('an edge whose Redis fills up while nobody works', () => {
  test('refuses at its threshold, keeps refusing over a crash of Redis, and opens again once', async () => {
    await start('16mb', 7, BOUND);
    const { refusal, mostPending } = await fill();
    expect(refusal.headers.get('retry-after')).toBe('10');
    expect(await problemOf(refusal)).toEqual([503, 'overloaded']);
    expect(await usedPercent()).toBeGreaterThanOrEqual(70);
    expect(mostPending).toBeLessThanOrEqual(PENDING);
    const held = await usedPercent();
    for (let i = 0; i < 20; i += 1) expect((await post(1_000)).status).toBe(503);
    expect(await usedPercent()).toBeLessThan(held + 1);
    expect(await running().metrics()).toContain('liftline_edge_pending_scans 0');
    expect(await running().metrics()).toContain('liftline_edge_admission_closed{lane="0",reason="memory"} 1');

    redis.signal('SIGKILL');
    await redis.restart();
    expect(await problemOf(await post(1))).toEqual([503, 'overloaded']);
    await until('Redis answers', async () => (await usedPercent()) > 0);

    const stopDrain = startDrain(running());
    await until('scans are taken again', async () => (await post(1)).status === 202, 60_000);
    for (let i = 0; i < 30; i += 1) expect((await post(100)).status).toBe(202);
    await stopDrain();
    expect(await changes('closed')).toEqual([1, 1, 1, 1]);
    expect(await changes('open')).toEqual([1, 1, 1, 1]);
    expect(
      running()
        .messages()
        .filter((line) => line === 'the queue takes scans again'),
    ).toHaveLength(4);
  }, 120_000);

  test('without admission it fills to the brim, and adds fail: that is what admission is for', async () => {
    await start('8mb', 5);
    const { refusal } = await fill();
    expect(await problemOf(refusal)).toEqual([503, 'queue_unavailable']);
    expect(await usedPercent()).toBeGreaterThan(97);
  }, 120_000);
});
