import type { Pool } from 'pg';
import type { Receipt } from '../domain/receipt.ts';
import { shardSchema } from '../domain/shard.ts';
import { told } from './read-at.ts';
import type { ShardPlace } from './shard-place.ts';

/** What became of a scan that was acked. On a replica it may be told a little late. */
export type ScanFate =
  | { status: 'queued' }
  | {
      status: 'persisted';
      /** milliseconds since the epoch, on the node's clock; null once the job's row in the ledger was folded */
      persistedAt: number | null;
    }
  | {
      status: 'dead';
      /** see `DeadLetter` */
      code: string;
      detail: string;
    }
  /** it was a dead letter, and an operator has removed it */
  | { status: 'discarded' };

interface Row {
  asOf: number | null;
  isStored: boolean;
  committedAt: number | null;
  code: string | null;
  detail: string | null;
}

/**
 * One probe of the leaf's primary key; only for what is not there a look at the dead letters of the time at which it was
 * taken. The payload of a dead letter is looked at as text: it may hold what no JSON function takes.
 */
const find = (shard: number) => ({
  name: `${shardSchema(shard)}_fate`,
  text: `
  SELECT (extract(epoch FROM (SELECT as_of FROM lane_as_of WHERE lane = $6)) * 1000)::float8 AS "asOf",
    stored.batch_id IS NOT NULL AS "isStored",
    (extract(epoch FROM (SELECT committed_at FROM ledger WHERE batch_id = stored.batch_id)) * 1000)::float8 AS "committedAt",
    dead.code, dead.detail
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
    SELECT batch_id FROM ${shardSchema(shard)}.scans WHERE shard = ${shard} AND skier_id = $1
      AND scanned_at = to_timestamp($2 / 1000::float8) AND device_id = $3 AND event_id = $4) AS stored ON true
  LEFT JOIN LATERAL (
    SELECT code, detail FROM dead_letters WHERE stored.batch_id IS NULL
      AND accepted_at = to_timestamp($5::float8 / 1000) AND position($4::text IN payload::text) > 0
    LIMIT 1) AS dead ON true`,
});

/**
 * @param receipt as the ack gave it; the shard is its skier's
 * @throws whatever the node answers
 */
export async function findScan(pool: Pool, { shard, lane }: ShardPlace, receipt: Receipt): Promise<ScanFate> {
  const { skierId, scannedAt, deviceId, eventId, enqueuedAt, acceptedAt } = receipt;
  const { rows } = await pool.query<Row>({
    ...find(shard),
    values: [skierId, scannedAt, deviceId, eventId, enqueuedAt, lane],
  });
  const [row] = rows;
  if (!row) throw new Error('one row always comes');
  if (row.isStored) {
    return { status: 'persisted', persistedAt: row.committedAt === null ? null : Math.round(row.committedAt) };
  }
  if (row.code !== null) return { status: 'dead', code: row.code, detail: row.detail ?? '' };
  const asOf = told(row.asOf);
  // everything that was acked until then is stored or a dead letter
  return { status: asOf !== null && asOf >= acceptedAt ? 'discarded' : 'queued' };
}
