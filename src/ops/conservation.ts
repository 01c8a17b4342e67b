import { COUNTED_AT_MOST, type LaneBacklog, unfinishedJobs } from '../queue/backlog.ts';
import type { LaneLedger } from '../shards/ledger-reader.ts';

/** One lane's books, from two looks at the queue with a look at the ledgers between them. */
export interface LaneBooks {
  lane: number;
  /** scans of stored jobs and of jobs in flight */
  enqueued: number;
  persisted: number;
  duplicate: number;
  dead: number;
  inFlight: number;
  jobsEnqueued: number;
  jobsStored: number;
  jobsUnfinished: number;
  /** jobs that the queue and the ledgers tell differently of; null when the lane is too deep to be counted */
  jobsUnaccounted: number | null;
}

/**
 * Enqueued = persisted + duplicate + dead + in flight, checked by two witnesses: the queue has its own count of jobs, and
 * the nodes have a row for each stored job. A job's row comes before the queue calls it done, so at any time
 * done before ≤ rows ≤ enqueued after, and all three are equal when the lane is empty. Whatever is outside of that was
 * lost, or stored without having been enqueued; a busy lane raises no false alarm.
 */
export function laneBooks(before: LaneBacklog, ledger: LaneLedger, after: LaneBacklog): LaneBooks {
  const { lane, persisted, duplicate, dead, jobs: jobsStored } = ledger;
  const jobsDone = before.jobsEnqueued - unfinishedJobs(before);
  const lost = Math.max(0, jobsDone - jobsStored);
  const unheardOf = Math.max(0, jobsStored - after.jobsEnqueued);
  const isCounted = Math.max(before.waitingJobs, before.delayedJobs, before.failedJobs) < COUNTED_AT_MOST;
  return {
    lane,
    enqueued: persisted + duplicate + dead + after.scans,
    persisted,
    duplicate,
    dead,
    inFlight: after.scans,
    jobsEnqueued: after.jobsEnqueued,
    jobsStored,
    jobsUnfinished: unfinishedJobs(after),
    jobsUnaccounted: isCounted ? lost + unheardOf : null,
  };
}
