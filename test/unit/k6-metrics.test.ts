import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MetricRegistry } from '../../loadtest/k6-on-node/metric-registry.ts';
import { createSink, percentileOf } from '../../loadtest/k6-on-node/sinks.ts';
import { evaluate, readThresholds } from '../../loadtest/k6-on-node/thresholds.ts';

describe('sinks', () => {
  test('a trend keeps every value exactly, also beyond its first room', () => {
    const trend = createSink('trend');
    for (let n = 3_000; n >= 0; n -= 1) trend.add(n);
    expect(trend.read('count', 1)).toBe(3_001);
    expect(trend.read('med', 1)).toBe(1_500);
    expect(trend.read({ percentile: 99 }, 1)).toBe(2_970);
    trend.add(9_000);
    expect(trend.read('max', 1)).toBe(9_000);
    expect(trend.read('min', 1)).toBe(0);
  });

  test('without a value everything is 0', () => {
    expect(createSink('trend').read({ percentile: 95 }, 1)).toBe(0);
    expect(createSink('rate').read('rate', 1)).toBe(0);
    expect(createSink('counter').read('rate', 0)).toBe(0);
  });

  test('percentiles lie between the smallest and the largest, and do not fall', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.nat(100), fc.nat(100), (some, a, b) => {
        const sorted = some.toSorted((x, y) => x - y);
        const low = percentileOf(sorted, Math.min(a, b));
        const high = percentileOf(sorted, Math.max(a, b));
        expect(high).toBeGreaterThanOrEqual(low - 1e-6);
        expect(low).toBeGreaterThanOrEqual((sorted[0] ?? 0) - 1e-6);
        expect(high).toBeLessThanOrEqual((sorted.at(-1) ?? 0) + 1e-6);
      }),
    );
  });
});

describe('thresholds', () => {
  test.each([
    ['p(99)<50', 49.9, true],
    ['p(99.9) < 50', 50, false],
    ['max<=50', 50, true],
    ['avg>1', 1, false],
    ['min>=1', 1, true],
    ['med==5', 5, true],
    ['count===1', 5, true],
    ['max!=5', 5, false],
  ])('%s of %d: %s', (expression, value, ok) => {
    const metrics = new MetricRegistry();
    const trend = metrics.declare('my', 'trend', true);
    const thresholds = readThresholds({ my: [expression] }, metrics);
    trend.add(value, {});
    expect(evaluate(thresholds, 1_000)).toMatchObject([{ metric: 'my', expression, ok }]);
  });

  test('a part takes only what carries all of its tags', () => {
    const metrics = new MetricRegistry();
    const counter = metrics.declare('my', 'counter', false);
    const thresholds = readThresholds({ 'my{a:1,b:x:y}': ['count==2'], my: ['count==4', 'rate==2'] }, metrics);
    for (const tags of [{ a: '1', b: 'x:y' }, { a: '1' }, { b: 'x:y' }, { a: '1', b: 'x:y', c: '3' }])
      counter.add(1, tags);
    expect(evaluate(thresholds, 2_000).map(({ value, ok }) => [value, ok])).toEqual([
      [2, true],
      [4, true],
      [2, true],
    ]);
  });

  test.each([
    ['unheard_of', 'count>0'],
    ['http_reqs', 'p(95)<1'],
    ['http_req_failed', 'count==0'],
    ['http_reqs', 'count'],
    ['http_reqs{op}', 'count>0'],
  ])('%s: %s is refused', (metric, expression) => {
    expect(() => readThresholds({ [metric]: [expression] }, new MetricRegistry())).toThrow(metric);
  });

  test('a metric may be declared twice, but not as something else', () => {
    const metrics = new MetricRegistry();
    expect(metrics.declare('my', 'rate', false)).toBe(metrics.declare('my', 'rate', false));
    expect(() => metrics.declare('my', 'trend', false)).toThrow('my is already a rate');
  });
});
