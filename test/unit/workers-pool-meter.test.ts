import { expect, test } from 'vitest';
import { type PoolLook, PoolMeter } from '../../workers/pool-meter.ts';

const ASSUMED = 5_000;

/** A look a second. */
function noteAll(meter: PoolMeter, looks: Partial<PoolLook>[]): void {
  const still = { backlogScans: 0, waitingScans: 0, settled: 0, ready: 1, held: '' };
  looks.forEach((look, second) => meter.note({ ...still, ...look, atMs: second * 1_000 }));
}

const busy = (seconds: number, o: { perS: number; ready?: number; held?: string }): Partial<PoolLook>[] =>
  Array.from({ length: seconds }, (_, s) => ({
    backlogScans: 10_000,
    waitingScans: 9_000,
    settled: s * o.perS,
    ready: o.ready ?? 1,
    held: o.held ?? '',
  }));

test('what workers store while more waits than they store is their rate', () => {
  const meter = new PoolMeter(ASSUMED);
  noteAll(meter, busy(3, { perS: 200 }));
  expect(meter.isMeasured).toBe(false);
  expect(meter.ratePerS).toBe(ASSUMED);
  noteAll(meter, busy(8, { perS: 200 }));
  expect(meter.isMeasured).toBe(true);
  expect(meter.ratePerS).toBeCloseTo(200);
});

test('is a rate of one worker, of as many as there are', () => {
  const meter = new PoolMeter(ASSUMED);
  noteAll(meter, busy(8, { perS: 900, ready: 3 }));
  expect(meter.ratePerS).toBeCloseTo(300);
});

test('workers with too little to do show no rate', () => {
  const meter = new PoolMeter(ASSUMED);
  noteAll(
    meter,
    Array.from({ length: 30 }, (_, s) => ({ backlogScans: 20, waitingScans: 10, settled: s * 50 })),
  );
  expect(meter.isMeasured).toBe(false);
  expect(meter.inflowPerS).toBeGreaterThan(40);
});

test('while a lane waits for its node nothing is measured, and it starts anew afterwards', () => {
  const meter = new PoolMeter(ASSUMED);
  noteAll(meter, busy(20, { perS: 10, held: '1' }));
  expect(meter.isMeasured).toBe(false);
  expect(meter.inflowPerS).toBe(0);
  noteAll(meter, busy(3, { perS: 10 }));
  expect(meter.isMeasured).toBe(false);
});

test('a pool that changes is measured again from the change on', () => {
  const meter = new PoolMeter(ASSUMED);
  const growing = busy(12, { perS: 100 }).map((look, s) => ({ ...look, ready: 1 + Math.floor(s / 3) }));
  noteAll(meter, growing);
  expect(meter.isMeasured).toBe(false);
});

test('what comes in is what was stored and what the backlog grew by; never less than nothing', () => {
  const meter = new PoolMeter(ASSUMED);
  noteAll(
    meter,
    Array.from({ length: 40 }, (_, s) => ({ backlogScans: s * 30, waitingScans: s * 20, settled: s * 100 })),
  );
  expect(meter.inflowPerS).toBeCloseTo(130, -1);
  const falling = new PoolMeter(ASSUMED);
  noteAll(falling, [{ backlogScans: 1_000 }, { backlogScans: 0 }]);
  expect(falling.inflowPerS).toBe(0);
});

test('stored in one second and reported in the next: the rate does not show it', () => {
  const meter = new PoolMeter(ASSUMED);
  const looks = busy(20, { perS: 200 }).map((look, s) => ({ ...look, settled: Math.floor(s / 2) * 400 }));
  noteAll(meter, looks);
  expect(meter.ratePerS).toBeGreaterThan(150);
  expect(meter.ratePerS).toBeLessThan(260);
});

test('looks that are missing end a measure', () => {
  const meter = new PoolMeter(ASSUMED);
  const looks = busy(4, { perS: 200 });
  looks
    .slice(0, 3)
    .forEach((look, s) =>
      meter.note({ backlogScans: 0, waitingScans: 0, settled: 0, ready: 1, held: '', ...look, atMs: s * 1_000 }),
    );
  meter.forget();
  meter.note({ backlogScans: 9_000, waitingScans: 9_000, settled: 50_000, ready: 1, held: '', atMs: 60_000 });
  expect(meter.isMeasured).toBe(false);
  expect(meter.inflowPerS).toBeLessThan(5_000);
});
