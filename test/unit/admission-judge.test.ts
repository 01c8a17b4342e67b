import { describe, expect, test } from 'vitest';
import { AdmissionJudge, type AdmissionLook } from '../../src/queue/admission-judge.ts';
import { percentOf } from '../../src/queue/admission-memory.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const LIMITS = { backlogAgeS: 900, backlogScans: 1_000, memoryPercent: 70 };

const look = (o: { lane?: number; ageS?: number; scans?: number; memoryPercent?: number }): AdmissionLook => ({
  lane: o.lane ?? 0,
  takenAt: NOW,
  oldestAcceptedAt: o.ageS === undefined ? null : NOW - o.ageS * 1_000,
  scans: o.scans ?? 0,
  memoryPercent: o.memoryPercent,
});

/** A judge that looks once a second. */
function watching(limits = LIMITS) {
  const judge = new AdmissionJudge(limits, 2);
  let nowMs = 0;
  return {
    judge,
    see: (o: Parameters<typeof look>[0]) => judge.judge([look(o)], (nowMs += 1_000)),
  };
}

describe('admission', () => {
  test.each([
    ['scans', { scans: 999 }, { scans: 1_000 }, { scans: 500 }, { scans: 499 }],
    ['memory', { memoryPercent: 69.9 }, { memoryPercent: 70 }, { memoryPercent: 59.6 }, { memoryPercent: 59.4 }],
  ] as const)(
    '%s: closes at the upper threshold, opens below the lower one, once each',
    (reason, below, at, still, free) => {
      const { judge, see } = watching();
      expect(see(below)).toEqual([]);
      expect(see(at)).toEqual([{ lane: 0, reason, isClosed: true }]);
      for (const value of [below, at, still, below]) expect(see(value)).toEqual([]);
      expect(judge.closedBy(0)).toBe(reason);
      expect(see(free)).toEqual([{ lane: 0, reason, isClosed: false }]);
      expect(see(below)).toEqual([]);
      expect(judge.closedBy(0)).toBeUndefined();
    },
  );

  test('age closes when it lasts, so neither a replayed dead letter nor a restart does', () => {
    const { judge, see } = watching();
    for (let i = 0; i < 5; i += 1) see({ ageS: 86_400 });
    see({ ageS: 1 });
    for (let i = 0; i < 30; i += 1) expect(see({ ageS: 86_400 + i })).toEqual([]);
    expect(judge.closedBy(0)).toBeUndefined();
    expect(see({ ageS: 86_430 })).toEqual([{ lane: 0, reason: 'age', isClosed: true }]);
    expect(see({ ageS: 460 })).toEqual([]);
    expect(see({})).toEqual([{ lane: 0, reason: 'age', isClosed: false }]);
  });

  test('a node that is away for ten minutes closes nothing', () => {
    const { judge, see } = watching();
    for (let ageS = 0; ageS < 600; ageS += 1) see({ ageS });
    expect(judge.closedBy(0)).toBeUndefined();
  });

  test('a lane that is closed leaves the others open', () => {
    const { judge, see } = watching();
    see({ lane: 1, scans: 5_000 });
    expect(judge.closedBy(1)).toBe('scans');
    expect(judge.closedBy(0)).toBeUndefined();
    expect(judge.states().filter(({ isClosed }) => isClosed)).toEqual([{ lane: 1, reason: 'scans', isClosed: true }]);
  });

  test('a bound of 0 is none, and neither is one of a server without a limit', () => {
    const off = watching({ backlogAgeS: 0, backlogScans: 0, memoryPercent: 0 });
    for (let i = 0; i < 100; i += 1) off.see({ ageS: 1e6, scans: 1e9, memoryPercent: 100 });
    expect(off.judge.closedBy(0)).toBeUndefined();
    expect(off.judge.states()).toEqual([]);
    const { judge, see } = watching();
    see({});
    expect(judge.closedBy(0)).toBeUndefined();
  });

  test('memory is what counts against maxmemory', () => {
    const info =
      '# Memory\r\nused_memory:800\r\nused_memory_peak:999\r\nmaxmemory:1000\r\nmem_not_counted_for_evict:50\r\n';
    expect(percentOf(info)).toBe(75);
    expect(percentOf(info.replace('maxmemory:1000', 'maxmemory:0'))).toBeUndefined();
    expect(percentOf('used_memory:5\r\nmaxmemory:10\r\n')).toBe(50);
  });
});
