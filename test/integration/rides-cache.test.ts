import { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepAsOf } from '../../src/shards/as-of.ts';
import { answersOf } from '../support/kept-answers.ts';
import { skierOn } from '../support/nodes.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
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

const { read, rides, count, sources, untilKept } = answersOf(() => side);
const ridesIn = async (skierId: number) => ((await count(rides(skierId))) as unknown[]).length;

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
    // without sockets: through them a hundred take longer to arrive, on a busy machine, than one waits for another's read
    const bare = await startReadSide({ cacheBytes: 1_000_000 });
    try {
      await bare.store([{ skierId: SKIER, liftId: 1, at: '2025-12-24T09:00:00Z' }]);
      const credential = { authorization: `Bearer ${await bare.token(SKIER)}` };
      const ask = (path: string) => bare.get(`/v1/skiers/${SKIER}/${path}`, credential);
      await ask('seasons'); // the token is known from now on, and waits for nothing
      const before = (await sources(bare))['skier miss'] ?? 0;
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask('rides')));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
      expect((await sources(bare))['skier miss']).toBe(before + 1);
    } finally {
      await bare.stop();
    }
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

  test('the SkiDataAPI’s of a skier are kept too, and are stale in a header', async () => {
    const { season, day } = side.resort(1).calendar.dayOf('2025-12-24');
    const paths = [
      `/skiers/1/seasons/${season}/days/${day}/skiers/${SKIER}`,
      `/skiers/${SKIER}/vertical?resort=1`,
      `/skiers/${SKIER}/vertical?resort=1&season=${season}`,
    ];
    const ask = async (path: string) => side.get(path, { authorization: `Bearer ${await side.token(SKIER)}` });
    const texts = () => Promise.all(paths.map(async (path) => (await ask(path)).text()));
    await untilKept(`/v1/skiers/${SKIER}/rides`);
    const first = await texts();
    const misses = (await sources())['skier miss'];
    expect(await texts()).toEqual(first);
    expect((await sources())['skier miss']).toBe(misses);
    await side.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('all have changed', async () => (await texts()).every((text, i) => text !== first[i]));
    const second = await texts();

    side.proxies.get(side.nodeOf(SKIER).nodeId)?.goSilent();
    const stale = await until('the feed knows nothing', async () => {
      const answers = await Promise.all(paths.map(ask));
      return answers.every(({ headers }) => headers.get('liftline-stale') === 'true') && answers;
    });
    expect(await Promise.all(stale.map((answer) => answer.text()))).toEqual(second);
    expect(stale.map(({ headers }) => headers.get('cache-control'))).toEqual(paths.map(() => 'no-store'));
    expect((await ask(`/skiers/${SKIER}/vertical?resort=2`)).status).toBe(503);
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
