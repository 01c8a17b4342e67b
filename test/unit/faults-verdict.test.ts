import { describe, expect, test } from 'vitest';
import { isAsItMustBe, problemsOf, type Seen } from '../../loadtest/faults/checker-verdict.ts';
import { showTable } from '../../loadtest/faults/report.ts';
import { drawTimeline, momentsOf } from '../../loadtest/faults/report-chart.ts';
import type { FaultRun } from '../../loadtest/faults/runner.ts';
import type { Sample } from '../../loadtest/faults/timeline.ts';

/** A run of 100 scans, of which one was confirmed twice, with nothing wrong. */
function seen(change: {
  findings?: Partial<Seen['findings']>;
  books?: Partial<Seen['books']>;
  progress?: Partial<Seen['progress']>;
  backToZeroS?: number;
  isSeamless?: boolean;
}): Seen {
  const counts = { stored: 100, lost: 0, phantom: 0, duplicate: 0, misplaced: 0, unknown: 0 };
  return {
    findings: { ...counts, wrongTotals: 0, dead: 0, examples: [], ...change.findings },
    books: {
      enqueued: 101,
      persisted: 100,
      duplicate: 1,
      dead: 0,
      inFlight: 0,
      jobsUnfinished: 0,
      jobsUnaccounted: 0,
      ...change.books,
    },
    progress: { attempted: 100, acked: 100, confirmations: 101, rejected: 0, unconfirmed: {}, ...change.progress },
    backToZeroS: change.backToZeroS ?? 2,
    isSeamless: change.isSeamless ?? false,
  };
}

describe('the verdict', () => {
  test('a run with nothing wrong has no problems', () => {
    expect(problemsOf(seen({}))).toEqual([]);
  });

  test.each([
    ['a lost scan', { findings: { lost: 1 } }, 'lost: 1'],
    ['a phantom', { findings: { phantom: 2 } }, 'phantom: 2'],
    ['a duplicate', { findings: { duplicate: 1 } }, 'duplicate: 1'],
    ['a row in the wrong place', { findings: { misplaced: 1 } }, 'misplaced: 1'],
    ['a wrong total', { findings: { wrongTotals: 2 } }, 'totals and rows: 2'],
    ['a dead letter', { findings: { dead: 1 }, books: { dead: 1, enqueued: 102 } }, 'dead letters: 1'],
    ['a refusal for good', { progress: { rejected: 3 } }, 'refused for good: 3'],
    ['sums that do not add up', { books: { enqueued: 102 } }, 'in flight: 1, expected 0'],
    ['a job that one witness does not know', { books: { jobsUnaccounted: 1 } }, 'jobs unaccounted for: 1'],
    ['jobs that nobody could count', { books: { jobsUnaccounted: null } }, 'jobs unaccounted for: not known'],
    ['ledgers that tell of other rows', { findings: { stored: 99 } }, 'persisted by the ledgers: 100, expected 99'],
    ['more confirmations than jobs', { progress: { confirmations: 102 } }, 'fewer than the 102 confirmations'],
    ['a backlog that stays', { backToZeroS: 31 }, 'back to 0 after 31.0 s'],
  ])('%s is one problem', (_what, change, told) => {
    const problems = problemsOf(seen(change));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(told);
  });

  test('what devices may not see is told, but for the 503 of a busy machine', () => {
    const unconfirmed = { '503 queue_unavailable': 3, overloaded: 4, ECONNREFUSED: 5, '502': 6 };
    expect(problemsOf(seen({ progress: { unconfirmed } }))).toEqual([]);
    const told = problemsOf(seen({ progress: { unconfirmed }, isSeamless: true }));
    expect(told).toEqual(['devices saw it: 6 scans answered 502', 'devices saw it: 5 scans answered ECONNREFUSED']);
  });
});

describe('whether a run went as it must', () => {
  const [well, lossy] = [seen({}), seen({ findings: { lost: 1 } })];
  const broken = seen({ findings: { duplicate: 1 } });

  test.each([
    ['a fault that lost nothing', well, false, true],
    ['a fault that lost', lossy, false, false],
    ['a fault that stored twice', broken, false, false],
    ['a fault whose run came to no end', undefined, false, false],
    ['a control that lost', lossy, true, true],
    ['a control that lost nothing', well, true, false],
    ['a control with something else wrong', broken, true, false],
    ['a control whose run came to no end', undefined, true, false],
  ])('%s', (_what, of, isControl, isGood) => {
    expect(isAsItMustBe(of, { isControl })).toBe(isGood);
  });
});

const RUN: FaultRun = {
  fault: 'redis-kill',
  summary: 'Redis killed',
  setting: undefined,
  seed: 'a',
  startedAt: '2026-01-10T09:00:00.000Z',
  seen: seen({}),
  problems: [],
  isGood: true,
  samples: [],
  marks: [],
};

function sample(atS: number, acked: number, backlog: number | null): Sample {
  return { atS, acked, unconfirmed: 0, persisted: acked / 2, backlog };
}

describe('the report', () => {
  test('the table says what a run and its control came to', () => {
    const lossy = seen({ findings: { lost: 7 }, books: { jobsUnaccounted: 2 } });
    const table = showTable({
      runs: [
        RUN,
        { ...RUN, setting: 'no file', seen: lossy },
        { ...RUN, setting: 'no file', isGood: false },
        { ...RUN, seen: lossy, isGood: false },
        { ...RUN, seen: undefined, isGood: false },
      ],
    });
    const cells = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    expect(cells[2]?.slice(1, 12)).toEqual([
      'redis-kill',
      '100',
      '0',
      '0',
      '0',
      '0',
      '0',
      'exact',
      'true',
      '2.0 s',
      'nothing lost',
    ]);
    expect(cells.slice(3, 7).map((row) => [row[1], row[4], row[11]])).toEqual([
      ['redis-kill, control', '7', 'loss reported, as it must be'],
      ['redis-kill, control', '0', 'WRONG: no loss reported'],
      ['redis-kill', '7', 'WRONG'],
      ['redis-kill', '', 'WRONG'],
    ]);
  });

  test('rates are taken over a second, and a backlog that is not known stays so', () => {
    const samples = [sample(0, 0, 0), sample(0.5, 10, 5), sample(1, 100, null), sample(1.5, 160, 7)];
    expect(momentsOf(samples)).toEqual([
      { atS: 1, ackedPerS: 100, persistedPerS: 50, unconfirmedPerS: 0, backlog: undefined },
      { atS: 1.5, ackedPerS: 150, persistedPerS: 75, unconfirmedPerS: 0, backlog: 7 },
    ]);
  });

  test('the chart has a line and a text for each mark', () => {
    const marks = [
      { atS: 1, text: 'kill -9 redis' },
      { atS: 2, text: 'a < b & c' },
    ];
    const chart = drawTimeline({ ...RUN, samples: [sample(0, 0, 0), sample(1, 5, 1), sample(2, 9, 2)], marks });
    expect(chart).toContain('kill -9 redis</text>');
    expect(chart).toContain('a &lt; b &amp; c</text>');
    expect(chart.match(/stroke-opacity/g)).toHaveLength(2);
  });
});
