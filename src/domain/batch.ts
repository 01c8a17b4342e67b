import type { Scan } from './scan.ts';

/** The scans of one job: what an edge put into a lane with one confirmation. */
export interface Batch {
  /** the job's own id, a UUID made by whoever enqueued it; the ledger's primary key */
  batchId: string;
  /** when the queue took it: milliseconds since the epoch on the queue server's clock, read before the add */
  acceptedAt: number;
  /** the batch this one was split from, when a part of it had to be put back */
  parentBatchId?: string;
  /** 1 to 500 */
  scans: Scan[];
}

/** What one job carries at most (a large job blocks Redis and Postgres alike). */
export const MAX_SCANS_PER_BATCH = 500;
