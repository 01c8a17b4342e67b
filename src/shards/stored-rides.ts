import type { Pool } from 'pg';
import type { RideRow } from './history-rows.ts';

/** What is looked for: rides of these skiers that these transactions have stored. */
export interface StoredBy {
  /** with the skier's shard */
  skiers: { skierId: number; shard: number }[];
  xids: string[];
  /** no ride of theirs is of an earlier time; null: nobody knows */
  firstScannedAt: number | null;
}

/** A ride, and who stored it. */
export interface StoredRide extends RideRow {
  skierId: number;
  xid: string;
}

/**
 * One statement for all shards of a node: it looks into the leaf of each skier, and there no further back than the earliest
 * scan of the writes. `OFFSET 0` holds the planner to that.
 */
const STORED_BY = {
  name: 'stored_rides',
  text: `
  SELECT stored.* FROM unnest($1::smallint[], $2::int[]) AS wanted (shard, skier_id) CROSS JOIN LATERAL (
    SELECT skier_id AS "skierId", stored_xid::text AS xid, event_id AS "eventId", resort_id AS "resortId", lift_id AS "liftId",
      device_id AS "deviceId", (extract(epoch FROM scanned_at) * 1000)::float8 AS "scannedAt", season, day,
      local_date::text AS date, vertical_m AS "verticalM"
    FROM scans WHERE scans.shard = wanted.shard AND scans.skier_id = wanted.skier_id
      AND scanned_at >= coalesce(to_timestamp($3::float8 / 1000), '-infinity') AND stored_xid = ANY($4::xid8[])
    OFFSET 0) AS stored
  ORDER BY "scannedAt", "deviceId", "eventId"`,
};

/** @returns them oldest first, by (scannedAt, deviceId, eventId); @throws whatever the node answers */
export async function readStoredRides(pool: Pool, { skiers, xids, firstScannedAt }: StoredBy): Promise<StoredRide[]> {
  const shards = skiers.map(({ shard }) => shard);
  const ids = skiers.map(({ skierId }) => skierId);
  const { rows } = await pool.query<StoredRide>({ ...STORED_BY, values: [shards, ids, firstScannedAt, xids] });
  return rows;
}
