import type { DirectorySnapshot } from '../directory/snapshot.ts';
import type { Batch } from '../domain/batch.ts';
import type { Scan } from '../domain/scan.ts';
import { shardOf } from '../domain/shard.ts';

/** What one node has to store of a job: all of it, as long as the shards of a lane live together. */
export interface BatchPart {
  batchId: string;
  jobId: string;
  /** milliseconds since the epoch */
  acceptedAt: number;
  /** 1 when this part's ledger row stands for the job, 0 when another part's does */
  jobs: 0 | 1;
  scans: Scan[];
  /** of each scan, in the same order */
  shards: number[];
  /** set when the job could not be read; it has no scans then, and becomes a dead letter */
  unreadable?: UnreadableJob;
}

export interface UnreadableJob {
  reason: string;
  /** the job's data as it came */
  payload: unknown;
  /** how many scans it claims to hold, 1 or more */
  scans: number;
}

/** What became of the scans of a write that had not been stored before. */
export interface WriteOutcome {
  persisted: number;
  duplicate: number;
  dead: number;
}

/** @returns the part of each node, by nodeId, in ascending order; @throws Error for a shard without a node */
export function splitByNode(
  batch: Batch,
  jobId: string,
  map: Pick<DirectorySnapshot, 'nodeOfShard' | 'shardCount'>,
): Map<number, BatchPart> {
  const parts = new Map<number, BatchPart>();
  for (const scan of batch.scans) {
    const shard = shardOf(scan.skierId, map.shardCount);
    const nodeId = map.nodeOfShard[shard];
    if (nodeId === undefined) throw new Error(`shard ${shard} has no node`);
    let part = parts.get(nodeId);
    if (!part) {
      part = { batchId: batch.batchId, jobId, acceptedAt: batch.acceptedAt, jobs: 1, scans: [], shards: [] };
      parts.set(nodeId, part);
    }
    part.scans.push(scan);
    part.shards.push(shard);
  }
  return new Map([...parts].toSorted(([a], [b]) => a - b));
}
