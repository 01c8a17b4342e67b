import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constantArrivals, rampingArrivals } from '../../loadtest/k6-on-node/arrival-plan.ts';

describe('arrival plan', () => {
  test('constant: the first at once, then one an interval, as many as rate and duration say', () => {
    const plan = constantArrivals(10, 1_000, 2_000);
    expect(plan.total).toBe(20);
    expect([-1, 0, 99, 100, 1_000, 1_999, 2_000, 9_999].map((ms) => plan.dueAt(ms))).toEqual([
      0, 1, 1, 2, 11, 20, 20, 20,
    ]);
  });

  test('a rate for another unit of time', () => {
    const plan = constantArrivals(3, 10_000, 60_000);
    expect(plan.total).toBe(18);
    expect(plan.dueAt(3_400)).toBe(2);
  });

  test('ramping: linear within a stage, a jump where a stage takes no time', () => {
    const plan = rampingArrivals(0, 1_000, [
      { target: 10, duration: 2_000 },
      { target: 100, duration: 0 },
      { target: 100, duration: 1_000 },
    ]);
    expect(plan.durationMs).toBe(3_000);
    expect(plan.total).toBe(10 + 100);
    expect(plan.dueAt(1_000)).toBe(3);
    expect(plan.dueAt(2_000)).toBe(11);
    expect(plan.dueAt(2_500)).toBe(61);
  });

  test('never falls, never passes its total, and reaches it', () => {
    const stage = fc.record({ target: fc.nat(500), duration: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.nat(500), fc.array(stage, { minLength: 1, maxLength: 6 }), (startRate, stages) => {
        const plan = rampingArrivals(startRate, 1_000, stages);
        let before = 0;
        for (let part = 0; part <= 50; part += 1) {
          const due = plan.dueAt((plan.durationMs * part) / 50);
          expect(due).toBeGreaterThanOrEqual(before);
          before = due;
        }
        expect(before).toBe(plan.total);
      }),
    );
  });
});
