import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepAsOf } from '../../src/shards/as-of.ts';
import { skierOn } from '../support/nodes.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const SKIER = skierOn(0);
const ELSEWHERE = skierOn(1);
const DAY = '/v1/resorts/1/days/2025-12-24';

let side: ReadSide;
beforeEach(async () => {
  side = await startReadSide({ cacheBytes: 1_000_000, listen: true });
  await side.store([SKIER, ELSEWHERE].map((skierId) => ({ skierId, liftId: 1, at: '2025-12-24T09:00:00Z' })));
});
afterEach(() => side.stop());

async function read(path: string, headers: Record<string, string> = {}, from = side): Promise<Response> {
  const skierId = Number(/skiers\/(\d+)/.exec(path)?.[1] ?? 1);
  return from.get(path, { authorization: `Bearer ${await from.token(skierId)}`, ...headers });
}
const rides = (skierId: number, from = side) => read(`/v1/skiers/${skierId}/rides`, {}, from);
const count = async (response: Promise<Response>) =>
  ((await (await response).json()) as { rides: unknown[] | number }).rides;
const ridesIn = async (skierId: number) => ((await count(rides(skierId))) as unknown[]).length;

/** @returns answers by where they came from, e.g. `skier hit` */
async function sources(from = side): Promise<Record<string, number>> {
  const lines = (await from.metrics()).matchAll(
    /^liftline_cache_answers_total\{kind="(\w+)",source="(\w+)"\} (\d+)$/gm,
  );
  const all = [...lines].map(([, kind, source, value]) => [`${kind} ${source}`, Number(value)] as const);
  return Object.fromEntries(all.filter(([, value]) => value > 0));
}

/** Reads until an answer was kept and given again: the feed has begun. */
async function untilKept(path: string, kind = 'skier', from = side): Promise<void> {
  await until('an answer is kept', async () => {
    await read(path, {}, from);
    return ((await sources(from))[`${kind} hit`] ?? 0) > 0;
  });
}

describe('answers that are kept', () => {
  test('are given until something changes them, and then no more', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`);
    expect(await ridesIn(SKIER)).toBe(1);
    await side.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('the new ride is there', async () => (await ridesIn(SKIER)) === 2);
    await untilKept(DAY, 'resort');
    await side.store([{ skierId: ELSEWHERE, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('it counts', async () => (await count(read(DAY))) === 4);
  });

  test('hold for one question of one skier', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`);
    await side.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('the new ride is there', async () => (await ridesIn(SKIER)) === 2);
    expect(await ridesIn(ELSEWHERE)).toBe(1);
    const limited = (await (await read(`/v1/skiers/${SKIER}/rides?limit=1`)).json()) as { rides: unknown[] };
    expect(limited.rides).toHaveLength(1);
    const other = await side.get(`/v1/skiers/${SKIER}/rides`, {
      authorization: `Bearer ${await side.token(ELSEWHERE)}`,
    });
    expect(other.status).toBe(404);
  });

  test('say the newer asOf while they hold', async () => {
    const pool = new Pool({ connectionString: side.nodeOf(SKIER).url, max: 1 });
    try {
      const tell = (asOf: number) =>
        keepAsOf(pool, '00000000-0000-4000-8000-000000000001', [{ lane: 0, asOf: Date.UTC(2026, 0, asOf) }]);
      await tell(1);
      await untilKept(`/v1/skiers/${SKIER}/rides`);
      const misses = (await sources())['skier miss'];
      await tell(2);
      await until('it is told', async () => {
        const response = await rides(SKIER);
        const { asOf } = (await response.json()) as { asOf: string };
        expect(response.headers.get('liftline-as-of')).toBe(asOf);
        return asOf === '2026-01-02T00:00:00.000Z';
      });
      expect((await sources())['skier miss']).toBe(misses);
    } finally {
      await pool.end();
    }
  });

  test('of an old season outlast new rides, until one comes late', async () => {
    await side.store([{ skierId: SKIER, liftId: 1, at: '2023-01-10T09:00:00Z' }]);
    const old = [`/v1/skiers/${SKIER}/days?season=2022`, `/v1/skiers/${SKIER}/days/2023-01-10`];
    for (const path of old) {
      await untilKept(`/v1/skiers/${SKIER}/seasons`);
      await read(path);
      expect((await read(path)).status).toBe(200);
    }
    await side.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('the new ride is there', async () => (await ridesIn(SKIER)) === 3);
    const before = await sources();
    for (const path of old) await read(path);
    const after = await sources();
    expect([after['skier hit'], after['skier miss']]).toEqual([(before['skier hit'] ?? 0) + 2, before['skier miss']]);
    await side.store([{ skierId: SKIER, liftId: 2, at: '2023-01-10T10:00:00Z' }]);
    await until('the late one is there', async () => {
      const [days, day] = await Promise.all(old.map(async (path) => (await read(path)).text()));
      return days?.includes('"rides":2') && day?.includes('10:00:00');
    });
  });

  test('a hundred who ask at once make one query', async () => {
    await untilKept(`/v1/skiers/${ELSEWHERE}/rides`);
    const before = (await sources())['skier miss'] ?? 0;
    const answers = await Promise.all(Array.from({ length: 100 }, () => rides(SKIER)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    const after = await sources();
    expect([after['skier miss'], (after['skier hit'] ?? 0) > 0]).toEqual([before + 1, true]);
  });

  test('304 for a client that has the answer, and what its asOf is now', async () => {
    const first = await rides(SKIER);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/".+"$/);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    expect(first.headers.get('vary')).toBe('Authorization');
    const again = await read(`/v1/skiers/${SKIER}/rides`, { 'if-none-match': etag });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    await side.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('it is another one', async () => {
      const { status } = await read(`/v1/skiers/${SKIER}/rides`, { 'if-none-match': etag });
      return status === 200;
    });
    expect((await read(DAY)).headers.get('cache-control')).toMatch(/^public, max-age=1\b/);
  });

  test('a node that is away: its skiers get what it last said, and are told so; others notice nothing', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`);
    await rides(ELSEWHERE);
    await read(DAY);
    side.proxies.get(side.nodeOf(SKIER).nodeId)?.goSilent();
    const stale = await until('the feed knows nothing', async () => {
      const response = await rides(SKIER);
      return response.headers.get('liftline-stale') === 'true' && response;
    });
    expect(await stale.json()).toMatchObject({ stale: true, rides: [{ resortId: 1 }] });
    expect([stale.status, stale.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await (await read(DAY)).json()).toMatchObject({ stale: true, rides: 2 });
    expect(await (await rides(ELSEWHERE)).json()).not.toHaveProperty('stale');
    expect((await read(`/v1/skiers/${SKIER}/seasons`)).status).toBe(503);
    await side.proxies.get(side.nodeOf(SKIER).nodeId)?.open();
    await until('it is as before', async () => (await rides(SKIER)).headers.get('liftline-stale') === null);
  });

  test('without a cache everything is as it is', async () => {
    const bare = await startReadSide();
    try {
      await bare.store([{ skierId: SKIER, liftId: 1, at: '2025-12-24T09:00:00Z' }]);
      await rides(SKIER, bare);
      await bare.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
      expect(await count(rides(SKIER, bare))).toHaveLength(2);
      expect(await sources(bare)).toEqual({ 'skier miss': 2 });
    } finally {
      await bare.stop();
    }
  });
});

describe.skipIf(!redisAvailable)('the second tier', () => {
  let redis: TestRedis;
  let sharing: ReadSide;
  beforeEach(async () => {
    redis = await startRedis();
    sharing = await startReadSide({ cacheBytes: 1_000_000, cacheUrl: redis.url });
    await sharing.store([{ skierId: SKIER, liftId: 1, at: '2025-12-24T09:00:00Z' }]);
  });
  afterEach(async () => {
    await sharing.stop();
    await redis.stop();
  });

  test('has what another process has read, as long as it is current', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`, 'skier', sharing);
    const second = await sharing.again();
    const tier = new Redis(redis.url);
    try {
      await untilKept(`/v1/skiers/${SKIER}/days`, 'skier', second);
      // what was read since both know of changes is good for both
      let limit = 0;
      await until('what one has read is taken by the other', async () => {
        const before = await tier.dbsize();
        const path = `/v1/skiers/${SKIER}/rides?limit=${(limit += 1)}`;
        await read(path, {}, second);
        await until('it is in the second tier', async () => (await tier.dbsize()) > before, 1_000);
        await read(path, {}, sharing);
        return (await sources(sharing))['skier shared'];
      });
      await sharing.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
      await until('both have the new one', async () => {
        const found = await Promise.all([sharing, second].map((from) => count(rides(SKIER, from))));
        return found.every((one) => Array.isArray(one) && one.length === 2);
      });
      expect((await sources(second))['skier stale']).toBeUndefined();
    } finally {
      tier.disconnect();
      await second.stop();
    }
  });

  test('has something to give when a process that starts finds the node away', async () => {
    const path = (limit: number) => `/v1/skiers/${SKIER}/rides?limit=${limit}`;
    const shared = new Redis(redis.url);
    let limit = 1;
    await until('it is there', async () => {
      await read(path((limit += 1)), {}, sharing);
      return (await shared.exists(`liftline:answer:2:skier ${SKIER} ${SKIER}/rides?limit=${limit - 1}`)) === 1;
    });
    shared.disconnect();
    sharing.proxies.get(sharing.nodeOf(SKIER).nodeId)?.goSilent();
    const second = await sharing.again();
    try {
      // the second tier is no help before it is connected
      const stale = await until('an answer', async () => {
        const response = await read(path(limit - 1), {}, second);
        return response.status === 200 && response;
      });
      expect(await stale.json()).toMatchObject({ stale: true, rides: [{ resortId: 1 }] });
      expect((await read(`/v1/skiers/${SKIER}/days`, {}, second)).status).toBe(503);
    } finally {
      await second.stop();
    }
  });

  test('that is silent is asked no more until it answers', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`, 'skier', sharing);
    const second = await sharing.again();
    try {
      await untilKept(`/v1/skiers/${SKIER}/rides`, 'skier', second);
      redis.signal('SIGSTOP');
      for (let limit = 1; limit <= 20; limit += 1) {
        expect((await read(`/v1/skiers/${SKIER}/rides?limit=${limit}`, {}, sharing)).status).toBe(200);
      }
      redis.signal('SIGCONT');
      let limit = 20;
      await until('it is of use again', async () => {
        const path = `/v1/skiers/${SKIER}/rides?limit=${(limit += 1)}`;
        await read(path, {}, sharing);
        await read(path, {}, second);
        return (await sources(second))['skier shared'];
      });
    } finally {
      await second.stop();
    }
  });

  test('is missed by nobody when it is away', async () => {
    await redis.stop();
    for (const path of ['rides', 'days', 'seasons']) {
      expect((await read(`/v1/skiers/${SKIER}/${path}`, {}, sharing)).status).toBe(200);
    }
    await sharing.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('the new ride is there', async () => {
      const found = await count(rides(SKIER, sharing));
      return Array.isArray(found) && found.length === 2;
    });
  });
});
