/** One lane at one instant: all of its numbers come from one atomic look. */
export interface LaneBacklog {
  lane: number;
  /** the server's clock just before the look, milliseconds since the epoch */
  takenAt: number;
  waitingJobs: number;
  activeJobs: number;
  delayedJobs: number;
  /** until the sweeper puts them back */
  failedJobs: number;
  /** scans in all of these jobs */
  scans: number;
  /** of all of these jobs; milliseconds since the epoch on the server's clock; null when there are none */
  oldestAcceptedAt: number | null;
  /**
   * false when the lane is so deep that not every job was looked at: `scans` is extrapolated then, and a job between the
   * ends of the list could be older than `oldestAcceptedAt`. On Postgres the counts stop at {@link COUNTED_AT_MOST}.
   */
  exact: boolean;
  /** jobs ever enqueued in this lane: those above, and those that are done */
  jobsEnqueued: number;
}

/** @returns how old the oldest job is, milliseconds on the queue server's clock, 0 or more; null when there is none */
export function oldestAgeMs({
  takenAt,
  oldestAcceptedAt,
}: Pick<LaneBacklog, 'takenAt' | 'oldestAcceptedAt'>): number | null {
  return oldestAcceptedAt === null ? null : Math.max(0, takenAt - oldestAcceptedAt);
}

/** @returns jobs that are not done */
export function unfinishedJobs(lane: LaneBacklog): number {
  return lane.waitingJobs + lane.activeJobs + lane.delayedJobs + lane.failedJobs;
}

/** Jobs that one look reads at each end of a lane's list, and in each other state: about 2 ms of Redis' time a lane at most. */
export const LOOKED_AT_MOST = 250;
/** Jobs of a state that Postgres counts: about 40 ms a lane at most. Redis knows the lengths of its lists. */
export const COUNTED_AT_MOST = 20_000;

/** What a look at a lane found, before the sums. */
export interface Sample {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  /** jobs that were read, and the scans in them */
  read: number;
  scansRead: number;
  oldest: number | null;
  enqueued: number;
  takenAt: number;
}

export function toBacklog(lane: number, sample: Sample): LaneBacklog {
  const jobs = sample.waiting + sample.active + sample.delayed + sample.failed;
  const exact = sample.read >= jobs;
  return {
    lane,
    takenAt: sample.takenAt,
    waitingJobs: sample.waiting,
    activeJobs: sample.active,
    delayedJobs: sample.delayed,
    failedJobs: sample.failed,
    scans: exact || sample.read === 0 ? sample.scansRead : Math.round((sample.scansRead / sample.read) * jobs),
    oldestAcceptedAt: sample.oldest,
    exact,
    jobsEnqueued: sample.enqueued,
  };
}
