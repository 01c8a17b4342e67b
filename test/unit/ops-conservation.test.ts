import { describe, expect, test } from 'vitest';
import { laneBooks } from '../../src/ops/conservation.ts';
import type { LaneBacklog } from '../../src/queue/backlog.ts';

const lane = (jobsEnqueued: number, waitingJobs: number, activeJobs = 0): LaneBacklog => ({
  lane: 0,
  takenAt: 1_764_000_000_000,
  waitingJobs,
  activeJobs,
  delayedJobs: 0,
  failedJobs: 0,
  scans: 10 * (waitingJobs + activeJobs),
  oldestAcceptedAt: null,
  exact: true,
  jobsEnqueued,
});
const ledger = (jobs: number) => ({ lane: 0, jobs, persisted: 9 * jobs, duplicate: jobs, dead: 0 });

describe('the books of a lane', () => {
  test('an empty lane: each job has its row', () => {
    expect(laneBooks(lane(7, 0), ledger(7), lane(7, 0))).toEqual({
      lane: 0,
      enqueued: 70,
      persisted: 63,
      duplicate: 7,
      dead: 0,
      inFlight: 0,
      jobsEnqueued: 7,
      jobsStored: 7,
      jobsUnfinished: 0,
      jobsUnaccounted: 0,
    });
  });

  test('what is in flight counts as enqueued', () => {
    const books = laneBooks(lane(7, 2, 1), ledger(4), lane(7, 2, 1));
    expect(books).toMatchObject({ enqueued: 70, inFlight: 30, jobsUnfinished: 3, jobsUnaccounted: 0 });
  });

  test('a busy lane raises no false alarm: jobs were stored, done and enqueued between the looks', () => {
    expect(laneBooks(lane(100, 20, 4), ledger(95), lane(140, 5, 4)).jobsUnaccounted).toBe(0);
    // stored, and not yet done in the queue
    expect(laneBooks(lane(100, 0, 4), ledger(100), lane(100, 0, 4)).jobsUnaccounted).toBe(0);
  });

  test('a job that is done without a row is missed', () => {
    expect(laneBooks(lane(100, 0), ledger(99), lane(100, 0)).jobsUnaccounted).toBe(1);
    expect(laneBooks(lane(100, 3), ledger(95), lane(120, 3)).jobsUnaccounted).toBe(2);
  });

  test('a row of a job that the queue never had is noticed', () => {
    expect(laneBooks(lane(0, 0), ledger(12), lane(0, 0)).jobsUnaccounted).toBe(12);
  });

  test('a lane that is too deep to be counted is not judged', () => {
    expect(laneBooks(lane(90_000, 50_000), ledger(10_000), lane(90_000, 50_000)).jobsUnaccounted).toBeNull();
  });
});
