import { array, assert as check, double, integer, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { turnsOf } from '../../loadtest/scale/report.ts';
import { PoolMeter } from '../../workers/pool-meter.ts';
import { decidePoolSize, NEW_POOL, type PoolLimits, type PoolMemory, type PoolView } from '../../workers/pool-size.ts';

const LIMITS: PoolLimits = { min: 1, max: 8, quietMs: 10_000 };
const TARGET_S = 5;
const VIEW: PoolView = {
  nowMs: 0,
  workers: 1,
  ready: 64,
  backlogScans: 0,
  inflowPerS: 0,
  ratePerS: 100,
  targetS: TARGET_S,
};

/** Decides once a second about views that stay the same but for the size. @returns the size at each second */
function sizesUnder(view: Partial<PoolView>, o: { seconds: number; limits?: PoolLimits; workers?: number }): number[] {
  let memory: PoolMemory = NEW_POOL;
  let workers = o.workers ?? 1;
  return Array.from({ length: o.seconds }, (_, s) => {
    const decision = decidePoolSize(o.limits ?? LIMITS, { ...VIEW, ...view, nowMs: s * 1_000, workers }, memory);
    ({ workers, memory } = decision);
    return workers;
  });
}

/** A pool and its queue, second by second, seen as the supervisor sees them: reports up to a second old, noisy counts. */
class Simulation {
  readonly sizes: number[] = [];
  backlog = 0;
  /** the largest backlog, in seconds of the pool as it was */
  worstS = 0;
  lost = 0;
  readonly #meter: PoolMeter;
  readonly #limits: PoolLimits;
  readonly #ratePerS: number;
  readonly #noise: () => number;
  readonly #isBlind: boolean;
  #memory: PoolMemory = NEW_POOL;
  #second = 0;
  #workers: number;
  #ready: number;
  #settled = 0;
  #reported = 0;

  /** @param o.isBlind it does not see what comes in, only what waits */
  constructor(o: {
    limits: PoolLimits;
    ratePerS: number;
    assumedRatePerS: number;
    noise: () => number;
    isBlind?: boolean;
  }) {
    this.#limits = o.limits;
    this.#ratePerS = o.ratePerS;
    this.#noise = o.noise;
    this.#isBlind = o.isBlind ?? false;
    this.#meter = new PoolMeter(o.assumedRatePerS);
    this.#workers = o.limits.min;
    this.#ready = o.limits.min;
  }

  run(seconds: number, inflowPerS: number): void {
    for (let s = 0; s < seconds; s += 1) this.#step(inflowPerS * this.#noise());
  }

  #step(inflow: number): void {
    this.#second += 1;
    this.#reported = this.#settled;
    this.backlog += inflow;
    const done = Math.min(this.backlog, this.#ready * this.#ratePerS * this.#noise());
    this.backlog -= done;
    this.#settled += done;
    this.#meter.note({
      atMs: this.#second * 1_000,
      backlogScans: Math.round(this.backlog),
      waitingScans: Math.max(0, this.backlog - this.#ready * 20),
      settled: this.#reported,
      ready: this.#ready,
      held: '',
    });
    const { ratePerS } = this.#meter;
    const inflowPerS = this.#isBlind ? 0 : this.#meter.inflowPerS;
    const view = {
      nowMs: this.#second * 1_000,
      workers: this.#workers,
      backlogScans: this.backlog,
      ready: this.#ready,
    };
    const decision = decidePoolSize(this.#limits, { ...view, inflowPerS, ratePerS, targetS: TARGET_S }, this.#memory);
    this.#memory = decision.memory;
    this.#ready = Math.min(this.#workers, decision.workers); // new ones need a second
    this.#workers = decision.workers;
    this.worstS = Math.max(this.worstS, this.backlog / (this.#ready * this.#ratePerS));
    this.sizes.push(this.#workers);
  }
}

function noiseOf(random: () => number, share: number): () => number {
  return () => 1 + (random() * 2 - 1) * share;
}

describe('the size of a pool', () => {
  test('is never outside of its limits, whatever it sees', () => {
    const view = record({
      backlogScans: nat(10_000_000),
      inflowPerS: double({ min: 0, max: 1e6, noNaN: true }),
      ratePerS: double({ min: 0.001, max: 1e6, noNaN: true }),
      tookMs: nat(60_000),
    });
    const limits = record({ min: integer({ min: 1, max: 20 }), more: nat(20), quietMs: nat(30_000) });
    check(
      property(limits, array(view, { maxLength: 60 }), integer({ min: 1, max: 64 }), (l, views, first) => {
        const bounds = { min: l.min, max: l.min + l.more, quietMs: l.quietMs };
        let [workers, nowMs, memory] = [first, 0, NEW_POOL];
        for (const { tookMs, ...seen } of views) {
          nowMs += tookMs;
          ({ workers, memory } = decidePoolSize(
            bounds,
            { ...seen, nowMs, workers, ready: workers, targetS: TARGET_S },
            memory,
          ));
          expect(workers).toBeGreaterThanOrEqual(bounds.min);
          expect(workers).toBeLessThanOrEqual(bounds.max);
        }
      }),
    );
  });

  test('grows at once by what is needed when what waits takes longer than the target', () => {
    // 300 scans/s come in, and 1,000 are to be stored in 5 s by workers that store 100 in a second: 3 + 2
    expect(sizesUnder({ backlogScans: 1_000, inflowPerS: 300 }, { seconds: 1 })).toEqual([5]);
    expect(sizesUnder({ backlogScans: 499, inflowPerS: 300 }, { seconds: 60 }).at(-1)).toBe(1);
    expect(sizesUnder({ backlogScans: 501 }, { seconds: 1 })).toEqual([2]);
    expect(sizesUnder({ backlogScans: 1_000_000 }, { seconds: 1 })).toEqual([LIMITS.max]);
  });

  test('gives new workers time to show what they do before it grows again', () => {
    let memory: PoolMemory = NEW_POOL;
    const at = (nowMs: number, workers: number, backlogScans: number, ready = workers) => {
      const decision = decidePoolSize(LIMITS, { ...VIEW, nowMs, workers, backlogScans, ready }, memory);
      memory = decision.memory;
      return decision.workers;
    };
    expect(at(0, 1, 900)).toBe(2);
    expect(at(1_000, 2, 1_900)).toBe(2);
    expect(at(3_000, 2, 1_900, 1)).toBe(2); // one of them still starts
    expect(at(4_000, 2, 1_900)).toBe(4);
    expect(at(23_000, 4, 9_000, 1)).toBe(4);
    expect(at(24_000, 4, 9_000, 1)).toBe(8); // whatever keeps it from starting: there is work
  });

  test('shrinks by one each time that fewer had sufficed for the quiet time, down to the least', () => {
    const sizes = sizesUnder({}, { seconds: 60, workers: 4 });
    expect(sizes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 4));
    expect([sizes[10], sizes[20], sizes[21], sizes[32]]).toEqual([3, 3, 2, 1]);
    expect(sizes.at(-1)).toBe(1);
    expect(turnsOf(sizes)).toBe(0);
  });

  test('does not shrink to a size that would only just do, nor after a quiet time with an interruption', () => {
    expect(sizesUnder({ inflowPerS: 170 }, { seconds: 60, workers: 3 }).at(-1)).toBe(3);
    expect(sizesUnder({ inflowPerS: 150 }, { seconds: 60, workers: 3 }).at(-1)).toBe(2);
    let memory: PoolMemory = NEW_POOL;
    let workers = 2;
    for (let s = 0; s < 60; s += 1) {
      const inflowPerS = s % 9 === 0 ? 90 : 0;
      ({ workers, memory } = decidePoolSize(LIMITS, { ...VIEW, nowMs: s * 1_000, workers, inflowPerS }, memory));
    }
    expect(workers).toBe(2);
  });

  test('follows limits that it is outside of', () => {
    expect(sizesUnder({}, { seconds: 1, workers: 12 })).toEqual([LIMITS.max]);
    expect(sizesUnder({}, { seconds: 1, workers: 1, limits: { ...LIMITS, min: 3 } })).toEqual([3]);
  });
});

const seeded = integer({ min: 1, max: 2 ** 31 - 1 });

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function start(seed: number, assumedRatePerS: number): Simulation {
  return new Simulation({ limits: LIMITS, ratePerS: 100, assumedRatePerS, noise: noiseOf(randomOf(seed), 0.2) });
}

describe('a pool in a simulation, with noise of 20 % on everything', () => {
  test('a steady load moves it up to what it needs and down from what it took to catch up, once', () => {
    check(
      property(seeded, double({ min: 0.2, max: 6, noNaN: true }), (seed, load) => {
        const pool = start(seed, 100);
        pool.run(1_200, load * 100);
        expect(turnsOf(pool.sizes)).toBeLessThanOrEqual(1);
        expect(pool.sizes.at(-1)).toBeGreaterThanOrEqual(load * 0.95);
        expect(pool.backlog / 100).toBeLessThan(TARGET_S * (pool.sizes.at(-1) ?? 0));
      }),
      { numRuns: 200 },
    );
  });

  test('a burst: up while one worker can not keep up, down to the least after it, one change of direction', () => {
    check(
      property(
        seeded,
        double({ min: 2, max: 5, noNaN: true }),
        integer({ min: 15, max: 60 }),
        (seed, load, seconds) => {
          const pool = start(seed, 100);
          pool.run(20, 30);
          expect(pool.sizes.at(-1)).toBe(1);
          pool.run(seconds, load * 100);
          expect(Math.max(...pool.sizes)).toBeGreaterThanOrEqual(Math.floor(load));
          pool.run(180, 30);
          expect(pool.sizes.at(-1)).toBe(1);
          expect(turnsOf(pool.sizes)).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a rate that was assumed far too high is measured soon enough', () => {
    const pool = start(7, 5_000);
    pool.run(60, 350);
    expect(Math.max(...pool.sizes)).toBeGreaterThanOrEqual(4);
    expect(pool.worstS).toBeLessThan(60);
    pool.run(60, 350);
    expect(pool.backlog / 400).toBeLessThan(TARGET_S);
  });

  test('sized by what waits alone it would flap under a steady load: the check can fail', () => {
    const pool = new Simulation({ limits: LIMITS, ratePerS: 100, assumedRatePerS: 100, noise: () => 1, isBlind: true });
    pool.run(1_200, 250);
    expect(turnsOf(pool.sizes)).toBeGreaterThan(5);
  });
});
