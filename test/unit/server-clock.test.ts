import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createServerClock } from '../../src/queue/server-clock.ts';

/** A server whose clock differs by an offset, behind a network with given delays, and a local clock moved by hand. */
function world(offsetMs: number) {
  let localMs = 1_000;
  let delays: [there: number, back: number] = [0, 0];
  const server = { offsetMs };
  const clock = createServerClock({
    localMs: () => localMs,
    readServerTimeMs: async () => {
      localMs += delays[0];
      const told = localMs + server.offsetMs;
      localMs += delays[1];
      return told;
    },
  });
  return {
    clock,
    server,
    pass: (ms: number) => {
      localMs += ms;
    },
    measure: async (there: number, back: number) => {
      delays = [there, back];
      await clock.measure();
    },
    trueMs: () => localMs + server.offsetMs,
  };
}

describe('the queue server clock', () => {
  it('has no time before the first measurement', () => {
    const { clock } = world(5);
    expect(clock.isMeasured()).toBe(false);
    expect(clock.errorMs()).toBe(Infinity);
    expect(() => clock.nowMs()).toThrow(/not told its time/);
  });

  it('is never off by more than it says', async () => {
    const delay = fc.integer({ min: 0, max: 500 });
    const step = fc.record({ there: delay, back: delay, pass: fc.integer({ min: 0, max: 60_000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.array(step, { minLength: 1, maxLength: 20 }),
        async (offset, steps) => {
          const { clock, pass, measure, trueMs } = world(offset);
          for (const { there, back, pass: ms } of steps) {
            await measure(there, back);
            pass(ms);
            expect(Math.abs(clock.nowMs() - trueMs())).toBeLessThanOrEqual(clock.errorMs() + 1);
          }
        },
      ),
    );
  });

  it('keeps the measurement with the shortest round trip', async () => {
    const { clock, measure, trueMs } = world(-90_000);
    await measure(1, 1);
    await measure(400, 0);
    expect(Math.abs(clock.nowMs() - trueMs())).toBeLessThanOrEqual(1);
    expect(clock.errorMs()).toBeLessThan(2);
  });

  it('trusts an old measurement less and less', async () => {
    const { clock, measure, pass } = world(0);
    await measure(5, 5);
    pass(3_600_000);
    expect(clock.errorMs()).toBeGreaterThan(300);
    await measure(20, 20);
    expect(clock.errorMs()).toBe(20);
  });

  it('follows at once when the server date was set', async () => {
    const { clock, server, measure, trueMs } = world(0);
    await measure(1, 1);
    server.offsetMs = 3_600_000;
    await measure(30, 30);
    expect(Math.abs(clock.nowMs() - trueMs())).toBeLessThanOrEqual(30);
  });

  it('keeps what it knows when the server does not answer', async () => {
    const readServerTimeMs = vi
      .fn<() => Promise<number>>()
      .mockResolvedValueOnce(42)
      .mockRejectedValueOnce(new Error('away'));
    const clock = createServerClock({ localMs: () => 0, readServerTimeMs });
    await clock.measure();
    await expect(clock.measure()).rejects.toThrow('away');
    expect(clock.nowMs()).toBe(42);
  });
});
