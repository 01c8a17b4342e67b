import { describe, expect, test } from 'vitest';
import { scaleProblems, turnsOf } from '../../loadtest/scale/report.ts';

const BOOKS = {
  enqueued: 900,
  persisted: 900,
  duplicate: 0,
  dead: 0,
  inFlight: 0,
  jobsUnfinished: 0,
  jobsUnaccounted: 0,
};

function run(
  sizes: number[],
  o: { backlogS?: number[]; acked?: number; refused?: number; books?: Partial<typeof BOOKS> } = {},
) {
  const backlogS = o.backlogS ?? [0, 8, 3, 0];
  return scaleProblems({
    burst: { fromS: 0, toS: 1 },
    samples: sizes.map((desired, atS) => {
      const seconds = backlogS[atS] ?? 0;
      return { atS, desired, ready: desired, backlogScans: seconds, backlogS: seconds, oldestS: 0, autoscale: 1 };
    }),
    acked: o.acked ?? 900,
    refused: o.refused ?? 0,
    books: { ...BOOKS, ...o.books },
    reasons: [],
  });
}

describe('the check of a burst', () => {
  test('finds nothing wrong with a pool that grows, catches up and shrinks', () => {
    expect(run([1, 4, 4, 3, 2, 1])).toEqual([]);
  });

  test.each([
    ['a pool that stays as it is', run([1, 1, 1]), 'grew to 1'],
    ['a pool that grows too little', run([1, 2, 2, 1]), 'grew to 2'],
    ['a pool that does not shrink', run([1, 4, 4, 4]), 'ended with 4'],
    ['a pool that flaps', run([1, 3, 2, 3, 2, 1]), 'changed its direction 3 times'],
    ['a load that was none', run([1, 4, 1], { backlogS: [0, 1, 0] }), 'no burst'],
    ['a backlog that stays', run([1, 4, 1], { backlogS: [0, 8, 9] }), 'ends at 9.0 s'],
    ['scans that got lost', run([1, 4, 4, 1], { books: { enqueued: 890, persisted: 890 } }), '890 persisted'],
    ['scans that never were', run([1, 4, 4, 1], { books: { persisted: 905 } }), '905 persisted'],
    ['jobs that nobody knows of', run([1, 4, 4, 1], { books: { jobsUnaccounted: 1 } }), '1 jobs are unaccounted'],
    ['posts that were refused', run([1, 4, 4, 1], { refused: 3 }), '3 posts were refused'],
  ])('notices %s', (_what, problems, problem) => {
    expect(problems.join('\n')).toContain(problem);
  });

  test('counts the changes of direction', () => {
    expect(
      [
        [1, 1],
        [1, 3, 5],
        [5, 4, 1],
        [1, 3, 3, 1],
        [1, 3, 1, 2],
      ].map(turnsOf),
    ).toEqual([0, 0, 0, 1, 2]);
  });
});
