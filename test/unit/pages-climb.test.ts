import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { climbOf } from '../../src/rides/pages/climb.ts';

const at = (time: string) => Date.parse(`2026-01-10T${time}:00Z`);
const METRES = { timeZone: 'Europe/Vienna', heightUnits: (metres: number) => metres };

describe('the climb of a day', () => {
  test('adds up ride by ride, between full hours of the resort', () => {
    const climb = climbOf(
      [
        { atMs: at('08:10'), verticalM: 300 },
        { atMs: at('08:40'), verticalM: 200 },
        { atMs: at('10:30'), verticalM: 500 },
      ],
      METRES,
    );
    expect(climb.points.map(({ totalM }) => totalM)).toEqual([300, 500, 1_000]);
    expect(climb.hours.map(({ atMs, x }) => [new Date(atMs).toISOString().slice(11, 16), Math.round(x)])).toEqual([
      ['08:00', 0],
      ['09:00', 33],
      ['10:00', 67],
      ['11:00', 100],
    ]);
    expect(climb.heights.map(({ units }) => units)).toEqual([500, 1_000]);
    expect(climb.linePath).toMatch(/^M1\.11,100C/); // 8 min before the first ride, on the ground
  });

  test('hours are the resort’s, also where they are not full ones of UTC', () => {
    const [first] = climbOf([{ atMs: at('08:10'), verticalM: 10 }], { ...METRES, timeZone: 'Asia/Kolkata' }).hours;
    expect(new Date(first?.atMs ?? 0).toISOString().slice(11, 16)).toBe('07:30');
  });

  test('a scale in feet has round feet', () => {
    const feet = climbOf([{ atMs: at('08:10'), verticalM: 1_000 }], { ...METRES, heightUnits: (m) => m / 0.3048 });
    expect(feet.heights.map(({ units }) => units)).toEqual([1_000, 2_000, 3_000]);
  });

  test('stays within the chart and never falls, whatever the rides', () => {
    const ride = fc.record({ minute: fc.nat(20 * 60), verticalM: fc.nat(2_000) });
    fc.assert(
      fc.property(fc.array(ride, { minLength: 1, maxLength: 60 }), (rides) => {
        const sorted = rides
          .toSorted((a, b) => a.minute - b.minute)
          .map(({ minute, verticalM }) => ({ atMs: at('01:00') + minute * 60_000, verticalM }));
        const { points, hours, heights, areaPath } = climbOf(sorted, METRES);
        let before = { x: 0, y: 100 };
        for (const point of points) {
          expect(point.x).toBeGreaterThanOrEqual(before.x);
          expect(point.y).toBeLessThanOrEqual(before.y);
          before = point;
        }
        expect(before.x).toBeLessThanOrEqual(100);
        expect(before.y).toBeGreaterThan(0);
        expect(hours.length).toBeLessThanOrEqual(6);
        expect(heights.length).toBeLessThanOrEqual(6);
        expect(areaPath).not.toContain('NaN');
      }),
    );
  });
});
