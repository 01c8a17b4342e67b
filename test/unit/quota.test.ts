import { array, assert, integer, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeviceQuota, QuotaExceeded } from '../../src/edge/device-quota.ts';

function refusal(ask: () => void): QuotaExceeded | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    if (error instanceof QuotaExceeded) return error;
    throw error;
  }
}

function openQuota(scansPerS: number, burstScans: number) {
  let now = 1_000;
  const quota = new DeviceQuota({ scansPerS, burstScans, nowMs: () => now });
  return {
    take: (deviceId: number, scans: number) => refusal(() => quota.take(deviceId, scans)),
    check: (deviceId: number) => refusal(() => quota.check(deviceId)),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('the quota of a device', () => {
  test('is its burst at once, then its rate', () => {
    const { take, pass } = openQuota(300, 1_000);
    for (let i = 0; i < 1_000; i += 1) expect(take(1, 1)).toBeUndefined();
    expect(take(1, 1)).toBeInstanceOf(QuotaExceeded);
    pass(10);
    for (let i = 0; i < 3; i += 1) expect(take(1, 1)).toBeUndefined();
    expect(take(1, 1)).toBeInstanceOf(QuotaExceeded);
  });

  test('is each device’s own', () => {
    const { take } = openQuota(10, 1_000);
    expect(take(1, 1_000)).toBeUndefined();
    expect(take(1, 1)).toBeInstanceOf(QuotaExceeded);
    expect(take(2, 1_000)).toBeUndefined();
  });

  test('says in the headers what it is, what is left and when there is enough', () => {
    const { take } = openQuota(500, 5_000);
    expect(take(1, 4_400)).toBeUndefined();
    const refused = take(1, 1_600);
    expect(refused).toMatchObject({ code: 'quota_exceeded', status: 429, retryAfterS: 2 });
    expect(refused?.headers).toEqual({
      'ratelimit-policy': '"device-scans";q=5000;w=10',
      ratelimit: '"device-scans";r=600;t=2',
    });
    expect(take(1, 600)).toBeUndefined();
    expect(take(1, 1)?.headers.ratelimit).toBe('"device-scans";r=0;t=1');
  });

  test('what was refused costs nothing: the wait that it was told is enough, however often it asks meanwhile', () => {
    const { take, pass } = openQuota(10, 1_000);
    take(1, 1_000);
    const waitS = take(1, 100)?.retryAfterS as number;
    expect(waitS).toBe(10);
    for (let i = 0; i < 500; i += 1) expect(take(1, 100)).toBeInstanceOf(QuotaExceeded);
    pass(waitS * 1_000);
    expect(take(1, 100)).toBeUndefined();
  });

  test('a look counts nothing, and refuses only what is empty', () => {
    const { take, check, pass } = openQuota(10, 1_000);
    for (let i = 0; i < 2_000; i += 1) expect(check(1)).toBeUndefined();
    take(1, 1_000);
    expect(check(1)?.headers.ratelimit).toBe('"device-scans";r=0;t=1');
    pass(100);
    expect(check(1)).toBeUndefined();
  });

  test('over any time a device gets its burst and its rate, never more, and never less when it keeps asking', () => {
    const steps = array(record({ pauseMs: nat(400), scans: integer({ min: 1, max: 50 }) }), {
      maxLength: 300,
    });
    assert(
      property(steps, (asked) => {
        const { take, pass } = openQuota(70, 200);
        let [taken, passedMs] = [0, 0];
        for (const { pauseMs, scans } of asked) {
          pass(pauseMs);
          passedMs += pauseMs;
          const refused = take(1, scans);
          if (!refused) taken += scans;
          expect(taken).toBeLessThanOrEqual(200 + (70 * passedMs) / 1_000 + 0.01);
          const remaining = Number(/r=(\d+)/.exec(refused?.headers.ratelimit ?? 'r=0')?.[1]);
          expect(remaining).toBeLessThan(scans);
        }
      }),
    );
  });
});
