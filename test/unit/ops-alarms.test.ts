import { describe, expect, test } from 'vitest';
import { alarmsOf } from '../../src/ops/pages/alarms.ts';
import { ranges } from '../../src/ops/pages/picture.ts';
import type { PipelineView } from '../../src/ops/pages/pipeline-view.ts';

const view = (changes: Partial<PipelineView>): PipelineView => ({
  processes: new Map([['worker', 1]]),
  lanes: [],
  nodes: [{ name: 'a', isUp: true, shards: [0], deadLetters: 0, storedPerS: 1 }],
  sums: undefined,
  unaccounted: 0,
  directoryAwayS: undefined,
  isQueueUp: true,
  ...changes,
});

const lane = { lane: 2, scans: 1, oldestAgeS: 1, failedJobs: 0, behindS: 1, takenPerS: 1, storedPerS: 1 };

describe('the operator’s alarms', () => {
  test.each([
    [{}, []],
    [{ isQueueUp: false }, ['The queue does not answer']],
    [{ processes: new Map([['edge', 1]]) }, ['No worker runs']],
    [{ processes: undefined, directoryAwayS: 20 }, ['The directory is away for 20 s']],
    [{ unaccounted: 3 }, ['3 jobs are unaccounted for']],
    [{ lanes: [{ ...lane, oldestAgeS: 61 }] }, ['Lane 2: its oldest scan waits for 61 s']],
    [{ lanes: [{ ...lane, behindS: 90, failedJobs: 2 }] }, ['Lane 2: readers are 90 s behind', '2 jobs have failed']],
  ] as const)('alarms of %j: %j', (changes, expected) => {
    expect(alarmsOf(view(changes as Partial<PipelineView>)).map(({ what }) => what)).toEqual(expected);
  });

  test('an alarm has the same key while its numbers run, and no other has it', () => {
    const away = { name: 'b', isUp: false, shards: [1], deadLetters: undefined, storedPerS: undefined };
    const after = (seconds: number) =>
      view({
        isQueueUp: false,
        processes: new Map([['edge', 1]]),
        unaccounted: seconds,
        directoryAwayS: 20 + seconds,
        nodes: [{ name: 'a', isUp: true, shards: [0], deadLetters: seconds, storedPerS: 1 }, away],
        lanes: [2, 3].map((number) => ({
          ...lane,
          lane: number,
          oldestAgeS: 60 + seconds,
          behindS: 60 + seconds,
          failedJobs: seconds,
        })),
      });
    const [keys, later] = [1, 2].map((seconds) => alarmsOf(after(seconds)).map(({ key }) => key));
    expect(later).toEqual(keys);
    expect(new Set(keys).size).toBe(11);
    expect(keys).toEqual(expect.arrayContaining(['node-b', 'lane-2-oldest', 'lane-3-oldest', 'lane-3-behind']));
  });

  test('the worst comes first', () => {
    const nodes = [{ name: 'a', isUp: false, shards: [0], deadLetters: undefined, storedPerS: undefined }];
    const alarms = alarmsOf(view({ directoryAwayS: 20, nodes }));
    expect(alarms.map(({ severity }) => severity)).toEqual(['bad', 'warn']);
  });
});

describe('the shards of a node', () => {
  test('in a row are told as a range', () => {
    expect([ranges([]), ranges([3]), ranges([0, 1, 2, 5, 7, 8])]).toEqual(['', '3', '0–2, 5, 7–8']);
  });

  test('that took turns are told shortly', () => {
    expect([ranges([1, 3, 5, 7]), ranges([1, 3, 5, 8]), ranges([2, 4, 6])]).toEqual([
      '1, 3, … 7',
      '1, 3, 5, 8',
      '2, 4, 6',
    ]);
  });
});
