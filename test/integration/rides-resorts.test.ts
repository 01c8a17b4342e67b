import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resortDay, resortDetail, resortList } from '../../src/rides/shapes.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';

const SKIERS = Array.from({ length: 40 }, (_, i) => 70_300 + i);
const MORNING = '2025-12-20T09:15:00Z';
const LATER = '2025-12-20T10:45:00Z';

describe('resorts, as everyone may see them', () => {
  let side: ReadSide;
  let date: string;
  beforeAll(async () => {
    side = await startReadSide();
    date = side.resort(1).calendar.locate(Date.parse(MORNING)).date;
    await side.store([
      ...SKIERS.map((skierId) => ({ skierId, liftId: 1, at: MORNING })),
      ...SKIERS.slice(0, 10).map((skierId) => ({ skierId, liftId: 2, at: LATER })),
      { skierId: 70_300, resortId: 2, liftId: 1, at: MORNING },
    ]);
  });
  afterAll(() => side.stop());

  test('the list', async () => {
    const { resorts } = resortList.parse(await side.json('/v1/resorts'));
    expect(resorts).toHaveLength(10);
    const { name, timeZone } = side.resort(1);
    expect(resorts[0]).toEqual({ resortId: 1, name, timeZone });
  });

  test('one resort with its lifts and declared seasons', async () => {
    const detail = resortDetail.parse(await side.json('/v1/resorts/1'));
    const resort = side.resort(1);
    expect(detail).toMatchObject({
      resortId: 1,
      name: resort.name,
      opensAt: resort.opensAt,
      closesAt: resort.closesAt,
    });
    expect(detail.lifts).toHaveLength(40);
    expect(detail.lifts[3]).toEqual({ liftId: 4, name: resort.lifts.get(4)?.name, verticalM: 40 });
    expect(detail.seasons).toContain('2025');
  });

  test('a day adds up over all nodes: each skier once, each ride in its hour', async () => {
    const nodesOfSkiers = new Set(SKIERS.map((skierId) => side.nodeOf(skierId)));
    expect(nodesOfSkiers.size).toBe(2);
    const found = resortDay.parse(await side.json(`/v1/resorts/1/days/${date}`));
    const at = side.resort(1).calendar.locate(Date.parse(MORNING));
    expect(found).toMatchObject({ resortId: 1, date, season: String(at.season), day: at.day });
    expect([found.skiers, found.rides, found.verticalM]).toEqual([40, 50, 40 * 10 + 10 * 20]);
    expect(found.lifts.map(({ liftId, rides }) => [liftId, rides])).toEqual([
      [1, 40],
      [2, 10],
    ]);
    expect(found.lifts[0]?.name).toBe(side.resort(1).lifts.get(1)?.name);
    expect(found.lifts[0]?.hours[at.hour]).toBe(40);
    expect(found.lifts[1]?.hours[side.resort(1).calendar.locate(Date.parse(LATER)).hour]).toBe(10);
    expect(found.lifts[1]?.hours.reduce((sum, n) => sum + n, 0)).toBe(10);
  });

  test('a day on which nobody was there', async () => {
    const found = resortDay.parse(await side.json('/v1/resorts/3/days/2025-12-20'));
    expect(found).toMatchObject({ resortId: 3, date: '2025-12-20', skiers: 0, rides: 0, verticalM: 0, lifts: [] });
  });
});
