import { describe, expect, it } from 'vitest';
import { planDay } from '../../src/simulator/day-plan.ts';
import { sizeDay } from '../../src/simulator/day-size.ts';
import { CATCH_UP_SIZE, planDeliveries, planOutages } from '../../src/simulator/delivery.ts';
import { type Lift, liftNetwork } from '../../src/simulator/network.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { planSkiDay, yesterdayAt } from '../../src/simulator/ski-day.ts';

const lifts: Lift[] = Array.from({ length: 40 }, (_, at) => ({
  liftId: at + 1,
  name: `Lift ${at + 1}`,
  verticalM: (at + 1) * 10,
}));
const network = liftNetwork(lifts);
const opening = { opensAtMinute: 8 * 60 + 30, closesAtMinute: 16 * 60 + 30 };
const dayMs = 8 * 3_600_000;
const size = (wishes: Parameters<typeof sizeDay>[0]) => sizeDay(wishes, 14, dayMs);
const plan = (seed: string, skiers: number, pace = 1) =>
  planDay({ seed, skiers, firstSkierId: 1, network, pace, ...opening });

const resort = { resortId: 1, name: 'Test', timeZone: 'Europe/Zurich', opensAt: '08:30', closesAt: '16:30', lifts };
const dayOptions = {
  seed: 'a',
  resort,
  date: '2026-01-15',
  firstSkierId: 1,
  skiers: 50,
  offlineShare: 0.2,
  againShare: 0.05,
};

describe('a planned day', () => {
  it('is the same for the same seed and another for another', () => {
    expect(plan('a', 20)).toEqual(plan('a', 20));
    expect(plan('a', 20)).not.toEqual(plan('b', 20));
  });

  it('gives the first skiers the same day however many others come', () => {
    const ofFirstTen = (rides: ReturnType<typeof plan>) => rides.filter(({ skierId }) => skierId <= 10);
    expect(ofFirstTen(plan('a', 50))).toEqual(ofFirstTen(plan('a', 10)));
  });

  it('has its first skier at a gate within the first hour, whatever the seed', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const first = plan(String(seed), 2).find(({ skierId }) => skierId === 1);
      expect(first?.atMs).toBeLessThan(3_600_000);
    }
  });

  it('has a morning rush, a dip at lunch and a thinning end', () => {
    const halfHours = Array.from({ length: 16 }, () => 0);
    for (const { atMs } of plan('shape', 2_000)) halfHours[Math.floor(atMs / 1_800_000)]! += 1;
    const morning = Math.max(...halfHours.slice(1, 6));
    const lunch = Math.min(...halfHours.slice(7, 10)); // 12:00 to 13:30
    const afternoon = Math.max(...halfHours.slice(10, 12));
    expect(lunch).toBeLessThan(morning * 0.75);
    expect(lunch).toBeLessThan(afternoon * 0.85);
    expect(halfHours[15]).toBeLessThan(morning * 0.2);
  });

  it('keeps everyone on lifts that can be reached from the last one, within opening hours', () => {
    const byId = new Map(lifts.map((lift) => [lift.liftId, lift]));
    const last = new Map<number, Lift>();
    for (const { skierId, liftId, atMs } of plan('walk', 100)) {
      const lift = byId.get(liftId)!;
      const before = last.get(skierId);
      expect(before ? network.reachableFrom(before) : network.valley).toContain(lift);
      expect(atMs).toBeGreaterThanOrEqual(0);
      expect(atMs).toBeLessThan(dayMs);
      last.set(skierId, lift);
    }
  });

  it('never scans one pass twice in the same millisecond, at any pace', () => {
    const rides = plan('fast', 5, 50);
    expect(new Set(rides.map(({ skierId, atMs }) => `${skierId}/${atMs}`)).size).toBe(rides.length);
  });
});

describe('deliveries', () => {
  const rides = plan('a', 300);
  const outages = planOutages({ seed: 'a', liftIds: lifts.map(({ liftId }) => liftId), share: 0.2, dayMs });
  const deliveries = planDeliveries(rides, { seed: 'a', outages, againShare: 0.05 });

  it('sends every ride exactly once besides the repeats, and repeats what was sent', () => {
    const first = deliveries.filter(({ kind }) => kind !== 'again').flatMap((delivery) => delivery.rides);
    expect(first).toHaveLength(rides.length);
    expect(new Set(first)).toEqual(new Set(rides));
    const again = deliveries.filter(({ kind }) => kind === 'again');
    expect(again.length).toBeGreaterThan(deliveries.length * 0.02);
    for (const { rides: repeated } of again) expect(new Set(first)).toContain(repeated[0]);
  });

  it('keeps what an offline gate scanned until it is back, then sends it in batches', () => {
    expect(outages.length).toBeGreaterThan(0);
    const caughtUp = deliveries.filter(({ kind }) => kind === 'catch-up');
    expect(caughtUp.some(({ rides: batch }) => batch.length > 1)).toBe(true);
    for (const { atMs, rides: batch } of caughtUp) {
      expect(batch.length).toBeLessThanOrEqual(CATCH_UP_SIZE);
      const outage = outages.find(({ liftId }) => liftId === batch[0]?.liftId);
      expect(atMs).toBe(outage?.toMs);
      for (const ride of batch) expect(ride.atMs).toBeGreaterThanOrEqual(outage?.fromMs ?? Number.NaN);
    }
    const live = deliveries.filter(({ kind }) => kind === 'live');
    expect(live.every(({ rides: batch }) => batch.length === 1)).toBe(true);
  });

  it('come in the order of time', () => {
    const times = deliveries.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('have no outage and no repeat when none is wanted', () => {
    expect(planOutages({ seed: 'a', liftIds: [1, 2], share: 0, dayMs })).toEqual([]);
    expect(planDeliveries(rides, { seed: 'a', outages: [], againShare: 0 })).toHaveLength(rides.length);
  });
});

describe('the size of a day', () => {
  it('plays 200 skiers in a minute unless told otherwise', () => {
    expect(size({})).toEqual({ skiers: 200, speed: 480, pace: 1 });
  });

  it('finds the skiers that a rate needs', () => {
    expect(size({ rate: 700 })).toEqual({ skiers: 3_000, speed: 480, pace: 1 });
  });

  it('finds the speed at which the skiers make the rate', () => {
    const { speed, pace } = size({ rate: 28, skiers: 200 });
    expect(dayMs / 1_000 / speed).toBeCloseTo(100);
    expect(pace).toBeCloseTo(1);
  });

  it('changes the pace when skiers, rate and speed are all given, and refuses the impossible', () => {
    expect(size({ skiers: 200, rate: 280, speed: 480 }).pace).toBeCloseTo(6);
    expect(() => size({ skiers: 1, rate: 10_000, speed: 480 })).toThrow(/take 858 or more/);
  });
});

describe('a ski day', () => {
  it('says how long it plays: 8 h at 60 times the speed of life are 8 min', () => {
    expect(planSkiDay({ ...dayOptions, speed: 60 }).durationS).toBe(480);
    expect(planSkiDay(dayOptions).durationS).toBe(60);
  });

  it('knows its own rides by their ids, and the same options make the same ids', () => {
    const day = planSkiDay(dayOptions);
    const ids = day.rides.map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => day.isOurs(id))).toBe(true);
    expect(planSkiDay(dayOptions).rides.map(({ eventId }) => eventId)).toEqual(ids);
    expect(planSkiDay({ ...dayOptions, skiers: 51 }).rides.some(({ eventId }) => day.isOurs(eventId))).toBe(false);
  });

  it('begins when the resort opens, in its own time', () => {
    const first = planSkiDay(dayOptions).rides[0]!;
    expect(first.scannedAtMs - first.atMs).toBe(Date.parse('2026-01-15T08:30:00+01:00'));
  });

  it('meets the rate it was asked for within a tenth, pace and lunch included', () => {
    const { rides, size: found } = planSkiDay({ ...dayOptions, skiers: 400, rate: 500, speed: 480 });
    const realS = dayMs / 1_000 / found.speed;
    expect(rides.length / realS).toBeGreaterThan(450);
    expect(rides.length / realS).toBeLessThan(550);
  });

  it('refuses a resort that closes before it opens, and a date that does not exist', () => {
    expect(() => planSkiDay({ ...dayOptions, resort: { ...resort, closesAt: '08:00' } })).toThrow(/closes before/);
    expect(() => planSkiDay({ ...dayOptions, date: '2026-02-30' })).toThrow(RangeError);
  });

  it('is yesterday in the time of the resort', () => {
    const justAfterMidnightInZurich = Date.parse('2026-01-15T23:30:00Z');
    expect(yesterdayAt('Europe/Zurich', justAfterMidnightInZurich)).toBe('2026-01-15');
    expect(yesterdayAt('America/Denver', justAfterMidnightInZurich)).toBe('2026-01-14');
  });
});

describe('chance', () => {
  it('is pinned: a change would change every recorded seed', () => {
    const random = seededRandom('liftline');
    expect([random.between(0, 999), random.between(0, 999), random.between(0, 999)]).toMatchInlineSnapshot(`
      [
        50,
        894,
        231,
      ]
    `);
  });

  it('refuses to pick from nothing', () => {
    expect(() => seededRandom('a').pick([])).toThrow(RangeError);
  });
});
