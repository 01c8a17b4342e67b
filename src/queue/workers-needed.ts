/** What has to be stored, and how fast one worker stores. */
export interface PoolLoad {
  /** accepted and not yet stored, in lanes that a worker could store now */
  backlogScans: number;
  /** scans a second that come in */
  inflowPerS: number;
  /** scans a second that one worker stores while it has enough to do; more than 0 */
  ratePerS: number;
  /** seconds in which what waits should be stored, more than 0 */
  targetS: number;
}

/**
 * How many workers keep up with what comes in and store what waits within the target. The one rule by which `liftline workers`
 * grows, and that `/ops/autoscale` answers.
 *
 * What comes in counts too: sized by what waits alone, a steady load would be left to fewer workers than it needs whenever
 * they had caught up, and the pool would go up and down for ever.
 *
 * @returns a fraction, 0 or more: 2.3 means that two do not suffice
 */
export function workersNeeded({ backlogScans, inflowPerS, ratePerS, targetS }: PoolLoad): number {
  return inflowPerS / ratePerS + backlogScans / (ratePerS * targetS);
}
