import { randomUUID } from 'node:crypto';
import type { Scan } from '../../src/domain/scan.ts';
import { onPool } from './on-pool.ts';

/** Puts a dead letter onto a node by hand: its scan is good, as when the reason was mended since. @returns its id */
export async function buryScan(nodeUrl: string, scan: Scan, at: { lane: number; shard: number }): Promise<string> {
  const id = randomUUID();
  await onPool(nodeUrl, (pool) =>
    pool.query(
      `INSERT INTO dead_letters (dead_letter_id, shard, lane, batch_id, code, detail, payload, accepted_at)
       VALUES ($1, $2, $3, gen_random_uuid(), '23514', 'violates season_day', $4::json, now())`,
      [id, at.shard, at.lane, JSON.stringify(scan)],
    ),
  );
  return id;
}
