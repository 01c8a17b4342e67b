import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { messageStatus, problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

const DEADLINE_MS = 500;
/** What the answer may take on a busy machine, beside waiting for its turn and for the confirmation. */
const SLACK_MS = 1_500;

describe.skipIf(!redisAvailable)('an edge whose queue', () => {
  let redis: TestRedis;
  let edge: TestEdge;

  beforeEach(async () => {
    redis = await startRedis();
    edge = await startEdge({ queueUrl: redis.url, ackDeadlineMs: DEADLINE_MS });
  });

  afterEach(async () => {
    await edge.stop();
    await redis.stop();
  });

  const backAgain = () =>
    until('scans are accepted again', async () => (await edge.post('/v1/scans', goodScan())).status === 202);

  test('is gone answers 503 with Retry-After on every route, at once, and takes scans again when it is back', async () => {
    redis.signal('SIGKILL');
    await until('the edge notices', async () => (await edge.post('/v1/scans', goodScan())).status === 503);
    const startedAt = performance.now();
    const single = await edge.post('/v1/scans', goodScan());
    expect(single.headers.get('retry-after')).toBe('1');
    expect(await problemOf(single)).toEqual([503, 'queue_unavailable']);
    const batch = await edge.post('/v1/scans/batch', { scans: [goodScan(), goodScan({ skierId: 2 })] });
    expect(batch.headers.get('retry-after')).toBe('1');
    expect(await problemOf(batch)).toEqual([503, 'queue_unavailable']);
    const ride = await edge.post('/skiers/1/seasons/2025/days/1/skiers/1', { time: 1, liftID: 1 });
    expect(ride.headers.get('retry-after')).toBe('1');
    expect(await messageStatus(ride)).toBe(503);
    expect(performance.now() - startedAt).toBeLessThan(SLACK_MS);
    await redis.restart();
    await backAgain();
  });

  test('is silent answers 503 within the deadline, however many wait, and what it confirmed is there', async () => {
    const before = goodScan();
    expect((await edge.post('/v1/scans', before)).status).toBe(202);
    redis.signal('SIGSTOP');
    const startedAt = performance.now();
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, i) => edge.post('/v1/scans', goodScan({ skierId: i + 1 }))),
    );
    expect(performance.now() - startedAt).toBeLessThan(2 * DEADLINE_MS + SLACK_MS);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
    redis.signal('SIGCONT');
    await backAgain();
    expect((await edge.queued()).map(({ eventId }) => eventId)).toContain(before.eventId);
    expect(await edge.metrics()).toContain('liftline_edge_pending_scans 0');
  });

  test('keeps what was acked over kill -9', async () => {
    const acked: unknown[] = [];
    const posting = Array.from({ length: 8 }, async (_, poster) => {
      for (let i = 0; i < 1_000; i += 1) {
        const scan = goodScan({ skierId: poster * 1_000 + i + 1 });
        const { status } = await edge.post('/v1/scans', scan);
        if (status !== 202) return;
        acked.push(scan.eventId);
      }
    });
    await until('some are acked', () => acked.length > 200);
    redis.signal('SIGKILL');
    await Promise.all(posting);
    await redis.restart();
    await backAgain();
    const queued = new Set<unknown>((await edge.queued()).map(({ eventId }) => eventId));
    expect(acked.filter((eventId) => !queued.has(eventId))).toEqual([]);
  });
});
