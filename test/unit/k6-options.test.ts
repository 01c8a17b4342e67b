import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../loadtest/k6-on-node/duration.ts';
import { requireLoopback } from '../../loadtest/k6-on-node/loopback.ts';
import { readOptions } from '../../loadtest/k6-on-node/options.ts';
import { strict, Unsupported } from '../../loadtest/k6-on-node/unsupported.ts';

const steady = { executor: 'constant-arrival-rate', rate: 5, duration: '2s', preAllocatedVUs: 3 };

describe('options', () => {
  test('defaults are those of k6', () => {
    const { scenarios, thresholds, setupTimeoutMs } = readOptions({ scenarios: { steady } });
    expect(scenarios[0]).toMatchObject({
      name: 'steady',
      exec: 'default',
      startMs: 0,
      gracefulStopMs: 30_000,
      maxUsers: 3,
    });
    expect(thresholds).toEqual({});
    expect(setupTimeoutMs).toBe(60_000);
  });

  test.each([
    ['no scenarios', { vus: 1, duration: '1s' }, 'scenarios'],
    ['an empty set of scenarios', { scenarios: {} }, 'scenario'],
    ['an unknown option', { scenarios: { steady }, noConnectionReuse: true }, 'noConnectionReuse'],
    ['an unknown executor', { scenarios: { steady: { ...steady, executor: 'ramping-vus' } } }, 'executor'],
    ['an option of another executor', { scenarios: { steady: { ...steady, startRate: 1 } } }, 'startRate'],
    ['a missing option', { scenarios: { steady: { ...steady, rate: undefined } } }, 'rate'],
    ['a rate that is not whole', { scenarios: { steady: { ...steady, rate: 0.5 } } }, 'rate'],
    ['no duration', { scenarios: { steady: { ...steady, duration: 'soon' } } }, 'soon'],
  ])('%s is refused by name', (_, options, named) => {
    expect(() => readOptions(options)).toThrow(Unsupported);
    expect(() => readOptions(options)).toThrow(named);
  });
});

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['0', 0],
  [250, 250],
])('duration %s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', 's', '5 s', '-1s', '3w', '1s later'])('"%s" is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(RangeError);
});

test.each(['http://127.0.0.1:1/', 'http://127.9.8.7/', 'http://localhost/', 'http://[::1]:8080/x'])(
  '%s is here',
  (url) => {
    expect(() => requireLoopback(new URL(url))).not.toThrow();
  },
);

test.each([
  'http://10.0.0.1/',
  'http://127.0.0.1.example.com/',
  'http://localhost.example.com/',
  'http://[2001:db8::1]/',
  'http://0.0.0.0/',
  'https://127.0.0.1/',
])('%s is refused', (url) => {
  expect(() => requireLoopback(new URL(url))).toThrow(Unsupported);
});

test('a strict object has what it has, can be awaited, and names what it lacks', async () => {
  const object = strict({ a: undefined as number | undefined }, 'thing');
  expect(object.a).toBeUndefined();
  expect(await Promise.resolve(object)).toBe(object);
  expect(() => Reflect.get(object, 'b')).toThrow('thing.b is not part of the k6 stand-in');
});
