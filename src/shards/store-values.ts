import type { Scan } from '../domain/scan.ts';
import type { BatchPart } from './batch-part.ts';

/** A scan of a part, on its way into a statement. */
export interface PlacedScan {
  scan: Scan;
  shard: number;
  /** position of its part in the write, from 0 */
  part: number;
}

/**
 * @returns the parameters $2 to $14 of a write: array literals, whose numbers, dates and UUIDs need no quoting. Whatever
 *   else they held would be an error of Postgres, and no harm.
 */
export function scanColumns(placed: readonly PlacedScan[]): string[] {
  const column = (value: (row: PlacedScan) => string | number): string => `{${placed.map(value).join(',')}}`;
  return [
    column((row) => row.shard),
    column(({ scan }) => scan.skierId),
    column(({ scan }) => scan.scannedAt),
    column(({ scan }) => scan.deviceId),
    column(({ scan }) => scan.eventId),
    column(({ scan }) => scan.resortId),
    column(({ scan }) => scan.liftId),
    column(({ scan }) => scan.season),
    column(({ scan }) => scan.day),
    column(({ scan }) => scan.date),
    column(({ scan }) => scan.hour),
    column(({ scan }) => scan.verticalM),
    column((row) => row.part + 1),
  ];
}

/** @returns every scan of the parts, in their order */
export function placeScans(parts: readonly BatchPart[]): PlacedScan[] {
  return parts.flatMap(({ scans, shards }, part) =>
    scans.map((scan, i) => ({ scan, shard: shards[i] as number, part })),
  );
}

/** @returns the parameter $1: the job of each part */
export function batchIds(parts: readonly BatchPart[]): string {
  return `{${parts.map(({ batchId }) => batchId).join(',')}}`;
}

/** @returns the different shards of a part, ascending */
export function shardsOf(part: BatchPart): number[] {
  return [...new Set(part.shards)].toSorted((a, b) => a - b);
}

/** @returns the parameters $15 to $20 of a write: what the ledger rows say */
export function ledgerColumns(lane: number, parts: readonly BatchPart[]): unknown[] {
  return [
    lane,
    parts.map(({ jobId }) => jobId),
    parts.map(({ acceptedAt }) => acceptedAt),
    parts.map(({ jobs }) => jobs),
    parts.map(({ scans }) => scans.length),
    parts.map((part) => `{${shardsOf(part).join(',')}}`),
  ];
}
