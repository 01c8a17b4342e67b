import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { daysPage, type DaysPage, ridesPage, type RidesPage, skierDay, skierSeasons } from '../../src/rides/shapes.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';

const GREEDY = 70_001;
const TRAVELLER = 70_002;
const NIGHT = 70_003;

describe('a skier’s history', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide();
    await side.store([
      ...Array.from({ length: 7 }, (_, i) => ({ skierId: GREEDY, liftId: 1 + (i % 3), at: `2025-12-20T09:0${i}:00Z` })),
      // two gates at the very same millisecond
      { skierId: GREEDY, liftId: 1, deviceId: 1, at: '2025-12-21T10:00:00.123Z' },
      { skierId: GREEDY, liftId: 2, deviceId: 2, at: '2025-12-21T10:00:00.123Z' },
      { skierId: TRAVELLER, resortId: 1, liftId: 10, at: '2025-01-15T10:00:00Z' },
      { skierId: TRAVELLER, resortId: 1, liftId: 11, at: '2025-01-15T11:00:00Z' },
      { skierId: TRAVELLER, resortId: 2, liftId: 12, at: '2025-12-27T18:00:00Z' },
      { skierId: TRAVELLER, resortId: 2, liftId: 12, at: '2025-12-28T18:00:00Z' },
      { skierId: TRAVELLER, resortId: 3, liftId: 40, at: '2025-12-29T12:00:00Z' },
    ]);
  });
  afterAll(() => side.stop());

  const rides = async (skierId: number, query = '') =>
    ridesPage.parse(await side.json(`/v1/skiers/${skierId}/rides${query}`, await side.token(skierId)));
  const days = async (skierId: number, query = '') =>
    daysPage.parse(await side.json(`/v1/skiers/${skierId}/days${query}`, await side.token(skierId)));

  test('rides come newest first with everything the contract promises', async () => {
    const page = await rides(TRAVELLER);
    expect(page.nextCursor).toBeNull();
    expect(page.rides.map(({ scannedAt }) => scannedAt)).toEqual([
      '2025-12-29T12:00:00.000Z',
      '2025-12-28T18:00:00.000Z',
      '2025-12-27T18:00:00.000Z',
      '2025-01-15T11:00:00.000Z',
      '2025-01-15T10:00:00.000Z',
    ]);
    const resort = side.resort(3);
    const at = resort.calendar.locate(Date.parse('2025-12-29T12:00:00Z'));
    expect(page.rides[0]).toEqual({
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      resortId: 3,
      liftId: 40,
      liftName: resort.lifts.get(40)?.name,
      scannedAt: '2025-12-29T12:00:00.000Z',
      season: String(at.season),
      day: at.day,
      date: at.date,
      verticalM: 400,
    });
  });

  test('pages join without a gap or a repeat, also between rides of the same millisecond', async () => {
    for (const limit of [1, 2, 3, 4]) {
      const found: RidesPage['rides'] = [];
      let query = `?limit=${limit}`;
      for (;;) {
        const page = await rides(GREEDY, query);
        found.push(...page.rides);
        if (page.nextCursor === null) break;
        expect(page.rides).toHaveLength(limit);
        query = `?limit=${limit}&cursor=${page.nextCursor}`;
      }
      expect(found).toHaveLength(9);
      expect(found).toEqual((await rides(GREEDY)).rides);
    }
  });

  test('a page that ends with the last ride has no next one', async () => {
    expect((await rides(GREEDY, '?limit=9')).nextCursor).toBeNull();
  });

  test('a ride that arrives between two pages moves nothing', async () => {
    const skierId = 70_010;
    await side.store([1, 2, 3].map((hour) => ({ skierId, liftId: 1, at: `2025-12-20T0${hour}:00:00Z` })));
    const first = await rides(skierId, '?limit=2');
    await side.store([{ skierId, liftId: 1, at: '2025-12-22T09:00:00Z' }]);
    const second = await rides(skierId, `?limit=2&cursor=${first.nextCursor}`);
    expect(second.rides.map(({ scannedAt }) => scannedAt)).toEqual(['2025-12-20T01:00:00.000Z']);
  });

  test('filters by resort and season, which may repeat', async () => {
    const resortsOf = async (query: string) => (await rides(TRAVELLER, query)).rides.map(({ resortId }) => resortId);
    const season = (await rides(TRAVELLER, '?resort=3')).rides[0]?.season;
    expect(await resortsOf('?resort=1')).toEqual([1, 1]);
    expect(await resortsOf('?resort=1&resort=3')).toEqual([3, 1, 1]);
    expect(await resortsOf(`?season=${season}`)).toEqual([3, 2, 2]);
    expect(await resortsOf('?season=2024&season=2025')).toEqual([3, 2, 2, 1, 1]);
    expect(await resortsOf(`?resort=1&season=${season}`)).toEqual([]);
    expect(await resortsOf('?season=1999')).toEqual([]);
    expect(await resortsOf('?resort=1&resort=3&limit=2')).toEqual([3, 1]);
  });

  test('from and to are inclusive, and days of the resort, not of UTC', async () => {
    const lateEvening = Date.parse('2025-12-20T22:30:00Z');
    const { date } = side.resort(1).calendar.locate(lateEvening);
    await side.store([{ skierId: NIGHT, resortId: 1, liftId: 1, at: new Date(lateEvening).toISOString() }]);
    const count = async (query: string) => (await rides(NIGHT, query)).rides.length;
    expect(await count(`?from=${date}&to=${date}`)).toBe(1);
    expect(await count(`?from=${date}`)).toBe(1);
    expect(await count(`?to=${date}`)).toBe(1);
    expect(await count('?to=2025-12-19')).toBe(0);
    expect(await count('?from=2025-12-22')).toBe(0);
  });

  test('unknown names of query parameters are ignored', async () => {
    expect((await rides(TRAVELLER, '?utm_source=mail&_=1')).rides).toHaveLength(5);
  });

  test('days come newest first, with their totals, filters and pages', async () => {
    const all = await days(TRAVELLER);
    expect(all.days.map(({ resortId, rides: n, verticalM }) => [resortId, n, verticalM])).toEqual([
      [3, 1, 400],
      [2, 1, 120],
      [2, 1, 120],
      [1, 2, 210],
    ]);
    expect(all.days.at(-1)).toMatchObject({ firstAt: '2025-01-15T10:00:00.000Z', lastAt: '2025-01-15T11:00:00.000Z' });
    const paged: DaysPage['days'] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: DaysPage = await days(TRAVELLER, `?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...page.days);
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all.days);
    expect((await days(TRAVELLER, '?resort=2&season=2025')).days).toHaveLength(2);
  });

  test('one day shows its rides and how often each lift was ridden', async () => {
    const { date } = side.resort(1).calendar.locate(Date.parse('2025-12-20T09:00:00Z'));
    const found = skierDay.parse(await side.json(`/v1/skiers/${GREEDY}/days/${date}`, await side.token(GREEDY)));
    expect(found.date).toBe(date);
    expect(found.rides).toHaveLength(7);
    expect(found.days).toHaveLength(1);
    expect(found.days[0]).toMatchObject({ resortId: 1, rides: 7, verticalM: 10 * (1 + 2 + 3 + 1 + 2 + 3 + 1) });
    const { lifts } = side.resort(1);
    expect(found.days[0]?.lifts).toEqual([
      { liftId: 1, liftName: lifts.get(1)?.name, rides: 3 },
      { liftId: 2, liftName: lifts.get(2)?.name, rides: 2 },
      { liftId: 3, liftName: lifts.get(3)?.name, rides: 2 },
    ]);
  });

  test('seasons add up', async () => {
    const found = skierSeasons.parse(await side.json(`/v1/skiers/${TRAVELLER}/seasons`, await side.token(TRAVELLER)));
    const total = found.seasons.reduce((sum, { rides: n }) => sum + n, 0);
    expect(total).toBe(5);
    expect(found.seasons.reduce((sum, { days: n }) => sum + n, 0)).toBe(4);
    expect(found.seasons.reduce((sum, { verticalM }) => sum + verticalM, 0)).toBe(400 + 120 + 120 + 210);
    expect(found.seasons.map(({ season }) => season)).toEqual(['2025', '2024']);
  });

  test('one’s own empty history is a 200 with empty lists', async () => {
    const token = await side.token(99_999);
    expect(await side.json('/v1/skiers/99999/rides', token)).toEqual({
      asOf: null,
      rides: [],
      nextCursor: null,
      changesToken: expect.any(String) as string,
    });
    expect(await side.json('/v1/skiers/99999/days', token)).toEqual({ asOf: null, days: [], nextCursor: null });
    expect(await side.json('/v1/skiers/99999/seasons', token)).toEqual({ asOf: null, seasons: [] });
    expect(await side.json('/v1/skiers/99999/days/2025-12-24', token)).toEqual({
      asOf: null,
      date: '2025-12-24',
      days: [],
      rides: [],
    });
  });

  test('a scan that was sent twice is one ride', async () => {
    const scan = { skierId: 70_011, liftId: 4, at: '2025-12-20T09:00:00Z', eventId: randomUUID() };
    await side.store([scan]);
    await side.store([scan]);
    expect((await rides(70_011)).rides).toHaveLength(1);
    expect((await days(70_011)).days).toMatchObject([{ rides: 1, verticalM: 40 }]);
  });
});
