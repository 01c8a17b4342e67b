import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monthGrids, shownSpan } from '../../src/rides/pages/calendar-grid.ts';
import { heatScale } from '../../src/rides/pages/heat.ts';

const MONDAY = 1;
const SUNDAY = 7;

describe('a month of a calendar', () => {
  test('begins on the weekday that it begins on', () => {
    const [november] = monthGrids('2026-11-07', '2026-11-09', MONDAY); // 1 November 2026 is a Sunday
    expect(november?.first).toBe('2026-11-01');
    expect(november?.weeks[0]).toEqual([null, null, null, null, null, null, '2026-11-01']);
    expect(november?.weeks.at(-1)).toEqual(['2026-11-30', null, null, null, null, null, null]);
    const [american] = monthGrids('2026-11-07', '2026-11-09', SUNDAY);
    expect(american?.weeks[0]?.[0]).toBe('2026-11-01');
  });

  test('shows every day between once, in order, under its own weekday', () => {
    const dates = fc.date({ min: new Date('1990-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(dates, fc.nat(400), fc.integer({ min: 1, max: 7 }), (start, days, firstWeekday) => {
        const from = start.toISOString().slice(0, 10);
        const to = new Date(start.getTime() + days * 86_400_000).toISOString().slice(0, 10);
        const grids = monthGrids(from, to, firstWeekday);
        const cells = grids.flatMap(({ weeks }) => weeks.flat());
        const shown = cells.filter((date) => date !== null);
        expect(shown).toEqual([...new Set(shown)].toSorted());
        expect(shown[0]).toBe(`${from.slice(0, 7)}-01`);
        expect(shown.at(-1)?.slice(0, 7)).toBe(to.slice(0, 7));
        expect(shown).toContain(from);
        expect(shown).toContain(to);
        for (const week of grids.flatMap(({ weeks }) => weeks)) {
          expect(week).toHaveLength(7);
          for (const [column, date] of week.entries()) {
            if (date === null) continue;
            const weekday = new Date(date).getUTCDay() || 7;
            expect((firstWeekday - 1 + column) % 7).toBe(weekday - 1);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('which months of a season are shown', () => {
  const season = { startsOn: '2026-11-01', endsBefore: '2027-11-01' };

  test('of one that runs: from its start until today, and rides beyond', () => {
    expect(shownSpan({ ...season, today: '2027-01-10', dates: ['2026-12-24'] })).toEqual({
      from: '2026-11-01',
      to: '2027-01-10',
    });
    expect(shownSpan({ ...season, today: '2026-11-02', dates: ['2026-11-03'] }).to).toBe('2026-11-03');
  });

  test('of one that is over: its rides alone', () => {
    expect(shownSpan({ ...season, today: '2027-11-01', dates: ['2027-02-01', '2026-12-24'] })).toEqual({
      from: '2026-12-24',
      to: '2027-02-01',
    });
    expect(shownSpan({ ...season, today: '2028-01-01', dates: [] })).toEqual({ from: '2026-11-01', to: '2026-11-01' });
  });
});

test('heat goes from nothing to the most in equal steps', () => {
  const heatOf = heatScale(4_000);
  expect([0, 1, 999, 1_001, 2_001, 3_001, 4_000].map(heatOf)).toEqual([0, 1, 1, 2, 3, 4, 4]);
  expect(heatScale(0)(0)).toBe(0);
  expect(heatScale(1)(1)).toBe(4);
});
