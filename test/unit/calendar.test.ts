import * as fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { type CalendarRules, MAX_SEASON_DAYS, ResortCalendar } from '../../src/domain/calendar.ts';
import { HOUR_MS, instant, localOf, nearTransition, rules } from '../support/calendars.ts';

/** What calendar says of an instant, and what has to follow from the season and day it gives. */
function seenAndDue(calendar: ResortCalendar, epochMs: number): [unknown, unknown] {
  const { season, day, date } = calendar.locate(epochMs);
  const seen = {
    isInSeason: date >= calendar.startOf(season) && date < calendar.startOf(season + 1),
    isDay: day >= 1 && day <= MAX_SEASON_DAYS,
    dayOf: calendar.dayOf(date),
    dateOf: calendar.dateOf(season, day),
  };
  return [seen, { isInSeason: true, isDay: true, dayOf: { season, day }, dateOf: date }];
}

describe('locate', () => {
  test('gives every instant one season and day, as dayOf and dateOf see them', () => {
    fc.assert(
      fc.property(rules, instant, (rule, epochMs) => {
        const [seen, due] = seenAndDue(new ResortCalendar(rule), epochMs);
        expect(seen).toEqual(due);
      }),
    );
  });

  test('gives the local date and hour', () => {
    fc.assert(
      fc.property(rules, instant, (rule, epochMs) => {
        const local = localOf(rule.timeZone, epochMs);
        const { date, hour } = new ResortCalendar(rule).locate(epochMs);
        expect({ date, hour }).toEqual({ date: local.toPlainDate().toString(), hour: local.hour });
      }),
    );
  });

  test('gives the local date and hour around changes of the offset', () => {
    fc.assert(
      fc.property(nearTransition, ({ timeZone, epochMs }) => {
        fc.pre(timeZone !== 'America/St_Johns'); // its own test below
        const calendar = new ResortCalendar({ timeZone, opensAt: '08:30', seasonStartsOn: '11-01', seasons: [] });
        const local = localOf(timeZone, epochMs);
        const [seen, due] = seenAndDue(calendar, epochMs);
        expect(seen).toEqual(due);
        expect(calendar.locate(epochMs)).toMatchObject({ date: local.toPlainDate().toString(), hour: local.hour });
      }),
      { numRuns: 300 },
    );
  });

  test('answers the same whatever it was asked before', () => {
    fc.assert(
      fc.property(fc.array(nearTransition, { minLength: 2, maxLength: 6 }), (asked) => {
        const timeZone = asked[0]?.timeZone as string;
        const rule = { timeZone, opensAt: '08:30', seasonStartsOn: '11-01', seasons: [] };
        const used = new ResortCalendar(rule);
        for (const { epochMs } of [...asked, ...asked.toReversed()]) {
          expect(used.locate(epochMs)).toEqual(new ResortCalendar(rule).locate(epochMs));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('never goes back to an earlier day as time goes on', () => {
    fc.assert(
      fc.property(nearTransition, fc.integer({ min: 1, max: 4 * HOUR_MS }), ({ timeZone, epochMs }, laterMs) => {
        const calendar = new ResortCalendar({ timeZone, opensAt: '08:30', seasonStartsOn: '11-01', seasons: [] });
        expect(calendar.locate(epochMs).date <= calendar.locate(epochMs + laterMs).date).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('where the clocks went back over midnight, the new day has begun for good', () => {
    const calendar = new ResortCalendar({
      timeZone: 'America/St_Johns',
      opensAt: '08:30',
      seasonStartsOn: '11-01',
      seasons: [],
    });
    const firstMidnight = Date.parse('2010-11-07T00:00:00-02:30');
    expect(calendar.locate(firstMidnight - 1).date).toBe('2010-11-06');
    for (const minutes of [0, 1, 30, 59, 61, 120]) {
      expect(calendar.locate(firstMidnight + minutes * 60_000).date).toBe('2010-11-07');
    }
  });

  test.each([
    ['Europe/Zurich', '2025-03-30T00:59:59Z', { date: '2025-03-30', hour: 1 }],
    ['Europe/Zurich', '2025-03-30T01:00:00Z', { date: '2025-03-30', hour: 3 }],
    ['Europe/Zurich', '2025-10-26T00:30:00Z', { date: '2025-10-26', hour: 2 }],
    ['Europe/Zurich', '2025-10-26T01:30:00Z', { date: '2025-10-26', hour: 2 }],
    ['Australia/Lord_Howe', '2025-10-04T15:29:59Z', { date: '2025-10-05', hour: 1 }],
    ['Australia/Lord_Howe', '2025-10-04T15:30:00Z', { date: '2025-10-05', hour: 2 }],
    ['Asia/Kathmandu', '2025-12-31T18:14:59Z', { date: '2025-12-31', hour: 23 }],
    ['Asia/Kathmandu', '2025-12-31T18:15:00Z', { date: '2026-01-01', hour: 0 }],
    ['Pacific/Apia', '2011-12-30T09:59:59Z', { date: '2011-12-29', hour: 23 }],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', { date: '2011-12-31', hour: 0 }],
  ])('%s at %s', (timeZone, at, expected) => {
    const calendar = new ResortCalendar({ timeZone, opensAt: '08:30', seasonStartsOn: '11-01', seasons: [] });
    expect(calendar.locate(Date.parse(at))).toMatchObject(expected);
  });
});

describe('season borders', () => {
  const zurich = { timeZone: 'Europe/Zurich', opensAt: '08:30', seasonStartsOn: '11-01' };

  test('the last moment of a season and the first of the next', () => {
    const calendar = new ResortCalendar({ ...zurich, seasons: [] });
    const border = Date.parse('2025-11-01T00:00:00+01:00');
    expect(calendar.locate(border - 1)).toEqual({ season: 2024, day: 365, date: '2025-10-31', hour: 23 });
    expect(calendar.locate(border)).toEqual({ season: 2025, day: 1, date: '2025-11-01', hour: 0 });
  });

  test('a season with a leap day has 366 days', () => {
    const calendar = new ResortCalendar({ ...zurich, seasons: [] });
    expect(calendar.dayOf('2024-10-31')).toEqual({ season: 2023, day: 366 });
    expect(calendar.dayOf('2024-11-01')).toEqual({ season: 2024, day: 1 });
  });

  test('a declared start moves the border', () => {
    const calendar = new ResortCalendar({ ...zurich, seasons: [{ season: 2025, startsOn: '2025-10-31' }] });
    expect(calendar.dayOf('2025-10-31')).toEqual({ season: 2025, day: 1 });
    expect(calendar.dayOf('2025-10-30')).toEqual({ season: 2024, day: 364 });
    expect(calendar.problems()).toEqual([]);
    expect(calendar.declaredSeasons).toEqual([2025]);
  });

  test.each([
    ['the usual day, whenever', '2025-11-01', '2026-03-01', true],
    ['a later day, before the usual one', '2025-11-05', '2025-10-31', true],
    ['a later day, on the usual one', '2025-11-05', '2025-11-01', false],
    ['an earlier day, before it', '2025-10-28', '2025-10-27', true],
    ['an earlier day, on it', '2025-10-28', '2025-10-28', false],
  ])('a start can be declared in time: %s', (_what, startsOn, today, can) => {
    const calendar = new ResortCalendar({ ...zurich, seasons: [] });
    const noon = Temporal.PlainDateTime.from(`${today}T12:00`).toZonedDateTime(zurich.timeZone).epochMilliseconds;
    expect(calendar.whyTooLate(2025, startsOn, noon) === undefined).toBe(can);
  });

  test('any declared seasons without problems leave no day out', () => {
    const shifted = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 6 }).map((shifts) =>
      shifts.map((days, i) => {
        const usual = Temporal.PlainDate.from(`${2020 + i}-11-01`);
        return { season: 2020 + i, startsOn: usual.add({ days }).toString() };
      }),
    );
    fc.assert(
      fc.property(shifted, fc.integer({ min: 0, max: 9 * 366 }), (seasons, days) => {
        const calendar = new ResortCalendar({ ...zurich, seasons });
        fc.pre(calendar.problems().length === 0);
        const date = Temporal.PlainDate.from('2019-01-01').add({ days });
        const [seen, due] = seenAndDue(calendar, date.toZonedDateTime(zurich.timeZone).epochMilliseconds);
        expect(seen).toEqual(due);
      }),
    );
  });

  test.each([
    ['starts before the season it follows', [{ season: 2025, startsOn: '2024-10-01' }]],
    ['starts with the season it follows', [{ season: 2025, startsOn: '2024-11-01' }]],
    ['leaves the season before too long', [{ season: 2025, startsOn: '2025-12-20' }]],
    ['is too long itself', [{ season: 2025, startsOn: '2025-06-01' }]],
  ])('names a season that %s', (_what, seasons) => {
    expect(new ResortCalendar({ ...zurich, seasons }).problems()).not.toEqual([]);
  });
});

describe('instantOf', () => {
  const post = fc.record({
    season: fc.integer({ min: 1990, max: 2100 }),
    day: fc.integer({ min: 1, max: MAX_SEASON_DAYS }),
    minutes: fc.integer({ min: 0, max: 1439 }),
  });

  test('agrees with dateOf and locate, and counts minutes from opening time', () => {
    fc.assert(
      fc.property(rules, post, (rule, { season, day, minutes }) => {
        const calendar = new ResortCalendar(rule);
        const opening = calendar.instantOf(season, day, 0);
        const posted = calendar.instantOf(season, day, minutes);
        expect(posted.date).toBe(calendar.dateOf(season, day));
        expect(posted.scannedAt - opening.scannedAt).toBe(minutes * 60_000);
        expect(posted.hour).toBe(calendar.locate(posted.scannedAt).hour);
      }),
    );
  });

  test('is on the posted day at opening time, when there is such a day', () => {
    fc.assert(
      fc.property(rules, post, (rule, { season, day }) => {
        const calendar = new ResortCalendar({ ...rule, opensAt: '08:30' });
        const date = calendar.dateOf(season, day);
        fc.pre(rule.timeZone !== 'Pacific/Apia' || date !== '2011-12-30');
        const { scannedAt } = calendar.instantOf(season, day, 0);
        const isInSeason = date < calendar.startOf(season + 1);
        expect(localOf(rule.timeZone, scannedAt).toPlainTime().toString()).toBe('08:30:00');
        expect(calendar.locate(scannedAt)).toMatchObject(
          isInSeason ? { season, day, date } : { season: season + 1, day: 1 },
        );
      }),
    );
  });

  test('different minutes of a day that Apia skipped are different instants', () => {
    const calendar = new ResortCalendar({
      timeZone: 'Pacific/Apia',
      opensAt: '08:30',
      seasonStartsOn: '12-30',
      seasons: [],
    });
    expect(calendar.instantOf(2011, 1, 0).date).toBe('2011-12-30');
    expect(calendar.instantOf(2011, 1, 1).scannedAt - calendar.instantOf(2011, 1, 0).scannedAt).toBe(60_000);
  });
});

describe('what makes no sense', () => {
  const good: CalendarRules = { timeZone: 'Europe/Zurich', opensAt: '08:30', seasonStartsOn: '11-01', seasons: [] };

  test.each<[string, Partial<CalendarRules>]>([
    ['a time zone that does not exist', { timeZone: 'Europe/Atlantis' }],
    ['an opening time that does not exist', { opensAt: '25:00' }],
    ['a usual start that most years lack', { seasonStartsOn: '02-29' }],
    ['a declared start that does not exist', { seasons: [{ season: 2025, startsOn: '2025-02-30' }] }],
  ])('%s is refused', (_what, wrong) => {
    expect(() => new ResortCalendar({ ...good, ...wrong })).toThrow(RangeError);
  });

  test('a date that does not exist has no day', () => {
    expect(() => new ResortCalendar(good).dayOf('2025-02-30')).toThrow(RangeError);
  });
});
