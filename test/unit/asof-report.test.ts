import { describe, expect, test } from 'vitest';
import type { ReadsReport } from '../../loadtest/asof/judge.ts';
import { asOfProblems } from '../../loadtest/asof/report.ts';
import type { AsOfReport } from '../../loadtest/asof/run.ts';

/** Of a run of 10 s, as few as there may be. */
const LEAST = {
  'rides-0': 120,
  'rides-1': 120,
  replica: 20,
  'rides-0 at the end': 30,
  'rides-1 at the end': 30,
};
const LIE = { kind: 'missing' as const, text: 'skier 1 at rides-0' };

function reads(source: string, answers: number): ReadsReport {
  const counts = { answers, stale: 0, untold: 0, refused: 9, others: {} };
  return { source, ...counts, medianAgeMs: 0, largestAgeMs: 0, lies: [] };
}

/** A run that has just enough of everything. @param change what one source is instead */
function run(source?: keyof typeof LEAST, change: Partial<ReadsReport> = {}): AsOfReport {
  const reports = Object.entries(LEAST).map(([name, answers]) => ({
    ...reads(name, answers),
    ...(name === source && change),
  }));
  const options = { queue: 'redis' as const, seconds: 10, seed: 'report', isControl: false };
  return { ...options, acked: 250, reports, trouble: {}, parts: 0 };
}

test('a run with enough answers of each source is good, whatever was refused', () => {
  expect(asOfProblems(run())).toEqual([]);
});

describe.each(Object.entries(LEAST) as [keyof typeof LEAST, number][])('%s', (source, least) => {
  test('is judged too seldom by one', () => {
    expect(asOfProblems(run(source, { answers: least - 1 }))).toEqual([
      expect.stringMatching(`: only ${least - 1} answers could be judged$`),
    ]);
  });

  test('gives answers without asOf, which can not be judged', () => {
    expect(asOfProblems(run(source, { untold: least }))).toEqual([expect.stringContaining('only 0 answers')]);
  });

  test('is not there, and the others have many more', () => {
    const { reports, ...rest } = run();
    const others = reports.filter((one) => one.source !== source).map((one) => reads(one.source, 10_000));
    expect(asOfProblems({ ...rest, reports: others })).toEqual([expect.stringContaining('only 0 answers')]);
  });

  test('answers with a status that nothing excuses', () => {
    const problems = asOfProblems(run(source, { others: { 404: 2, 500: 1 } }));
    expect(problems).toEqual([expect.stringMatching(/: 2 times 404$/), expect.stringMatching(/: 1 times 500$/)]);
  });

  test('lies', () => {
    expect(asOfProblems(run(source, { lies: [LIE] }))).toEqual(['1 times an answer said what was not so']);
  });
});

test('too few acks prove nothing', () => {
  expect(asOfProblems({ ...run(), acked: 249 })).toEqual(['only 249 scans were acked']);
});

test('the control has to be caught, and needs nothing else', () => {
  const control = { ...run(), isControl: true };
  expect(asOfProblems(control)).toEqual(['the negative control told no lie that was caught']);
  expect(asOfProblems({ ...control, acked: 1, reports: [{ ...reads('rides-0', 1), lies: [LIE] }] })).toEqual([]);
});
