import { expect, test } from 'vitest';
import type { LaneBacklog } from '../../src/queue/backlog.ts';
import { LaneProgress } from '../../workers/lane-progress.ts';

const STUCK_MS = 10_000;

/** One lane whose consumer and queue are what the test says, at a time that the test says. */
function watchOneLane() {
  const at = { now: 1_000_000, progressAt: 1_000_000, inHand: 0, waiting: 0, isQueueAway: false };
  const progress = new LaneProgress({
    consumers: new Map([[0, { lastProgressAt: () => at.progressAt, jobsInHand: () => at.inHand }]]),
    backlog: {
      read: () =>
        at.isQueueAway
          ? Promise.reject(new Error('away'))
          : Promise.resolve([{ lane: 0, waitingJobs: at.waiting } as LaneBacklog]),
    },
    stuckMs: STUCK_MS,
    now: () => at.now,
  });
  return {
    at,
    progress,
    /** lets time pass, with its checks */
    async pass(ms: number, each: () => void = () => {}) {
      for (let passed = 0; passed < ms; passed += progress.checkMs) {
        at.now += progress.checkMs;
        each();
        await progress.check();
      }
      return progress.live();
    },
  };
}

test('a lane in which nothing waits is live for ever', async () => {
  expect(await watchOneLane().pass(10 * STUCK_MS)).toBe(true);
});

test('jobs wait and none is taken: stuck after the time, not before, and live again once one is', async () => {
  const lane = watchOneLane();
  await lane.pass(5 * STUCK_MS);
  lane.at.waiting = 3;
  expect(await lane.pass(STUCK_MS - 2 * lane.progress.checkMs)).toBe(true);
  expect(await lane.pass(3 * lane.progress.checkMs)).toMatch(/lane 0 is stuck for 1\d s: jobs wait and none is taken/);
  lane.at.progressAt = lane.at.now;
  expect(await lane.pass(lane.progress.checkMs)).toBe(true);
});

test('a job in hand with which nothing happens: stuck', async () => {
  const lane = watchOneLane();
  lane.at.inHand = 2;
  expect(await lane.pass(STUCK_MS)).toContain('2 jobs are in hand and nothing is tried');
});

test('a lane that is held keeps trying: live, however long its node is away', async () => {
  const lane = watchOneLane();
  lane.at.inHand = 16;
  lane.at.waiting = 500;
  expect(await lane.pass(20 * STUCK_MS, () => lane.progress.note(0))).toBe(true);
  expect(await lane.pass(2 * STUCK_MS)).toContain('lane 0 is stuck');
});

test('while the queue is away nobody could take anything: live, with the whole time again afterwards', async () => {
  const lane = watchOneLane();
  lane.at.isQueueAway = true;
  lane.at.waiting = 9;
  expect(await lane.pass(10 * STUCK_MS)).toBe(true);
  lane.at.isQueueAway = false;
  expect(await lane.pass(STUCK_MS / 2)).toBe(true);
  expect(await lane.pass(STUCK_MS)).toContain('stuck');
});

test('a process that was stopped does not take its own sleep for a lane that hangs', async () => {
  const lane = watchOneLane();
  lane.at.inHand = 1;
  lane.at.now += 60 * STUCK_MS;
  await lane.progress.check();
  expect(lane.progress.live()).toBe(true);
  expect(await lane.pass(STUCK_MS)).toContain('stuck');
});
