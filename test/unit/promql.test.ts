import { describe, expect, test } from 'vitest';
import { readExported, readPromql } from '../support/promql.ts';

describe('what a PromQL expression asks for', () => {
  test.each([
    ['up', ['up'], []],
    [
      'sum by (lane, node) (rate(scans_total{reason=~"a|b", lane!="x y"}[5m])) > 0',
      ['scans_total'],
      ['lane', 'node', 'reason'],
    ],
    ['histogram_quantile(0.99, sum by (le) (rate(t_bucket[$__rate_interval])))', ['t_bucket'], ['le']],
    ['(time() - max(a)) > 1800 and on (resort) b == 1 or vector(0)', ['a', 'b'], ['resort']],
    ['a{x="}("} / b', ['a', 'b'], ['x']],
  ])('%s', (expression, metrics, labels) => {
    const asked = readPromql(expression);
    expect([asked.metrics, asked.labels.toSorted()]).toEqual([metrics, labels]);
  });

  test.each(['sum(a', 'a)', 'a{b="c"', 'a; b', '(a}', 'rate(a[5m)'])('what is broken is refused: %s', (expression) => {
    expect(() => readPromql(expression)).toThrow(expression);
  });
});

test('what a process exports', () => {
  const text = '# TYPE a counter\na{x="1",y="2"} 1\n# TYPE t histogram\nt_bucket{le="1"} 0\n# TYPE z gauge\n';
  expect([...readExported(text)].map(([name, labels]) => [name, ...labels])).toEqual([
    ['a', 'x', 'y'],
    ['t_bucket', 'le'],
    ['t_sum'],
    ['t_count'],
    ['z'],
  ]);
});
