import { Client, type ClientBase, type Pool } from 'pg';
import { z } from 'zod';
import { scanKey } from './checker-notes.ts';
import type { Placement, StoredScan } from './checker-compare.ts';

/** A node's own address: never by way of a proxy, never a replica. */
export interface Primary {
  name: string;
  url: string;
}

/** What one node holds, read by the checker itself: nothing of Liftline's own reading stands between. */
export interface NodeContent {
  scans: StoredScan[];
  /** see {@link wrongTotals} */
  wrongTotals: string[];
  /** one line each */
  deadLetters: string[];
}

/** A client of `pg`, or a pool of them. */
type Queryable = Pick<ClientBase, 'query'> | Pick<Pool, 'query'>;

const TIMEOUT_MS = 60_000;

const TOTALS = `
  WITH counted AS (
    SELECT shard, skier_id, resort_id, season, day, min(local_date) AS local_date, count(*)::int AS rides,
      sum(vertical_m)::int AS vertical_m, min(scanned_at) AS first_at, max(scanned_at) AS last_at,
      array_agg(lift_id::bigint * 32 + hour ORDER BY lift_id, hour) AS lift_hours
    FROM scans GROUP BY shard, skier_id, resort_id, season, day
  ), held AS (
    SELECT shard, skier_id, resort_id, season, day, local_date, rides, vertical_m, first_at, last_at,
      (SELECT array_agg(ride ORDER BY ride) FROM unnest(lift_hours) AS ride) AS lift_hours
    FROM skier_days
  )
  (SELECT 'only in totals: ' || to_jsonb(held)::text AS line FROM (SELECT * FROM held EXCEPT SELECT * FROM counted) AS held)
  UNION ALL
  (SELECT 'only in scans: ' || to_jsonb(counted)::text FROM (SELECT * FROM counted EXCEPT SELECT * FROM held) AS counted)`;

const SCANS = `
  SELECT shard::int, skier_id AS "skierId", round(extract(epoch FROM scanned_at) * 1000)::float8 AS "scannedAtMs",
    device_id AS "deviceId", event_id AS "eventId", resort_id AS "resortId", lift_id AS "liftId"
  FROM scans`;

const scanRow = z.object({
  shard: z.int(),
  skierId: z.int(),
  scannedAtMs: z.number(),
  deviceId: z.int(),
  eventId: z.string(),
  resortId: z.int(),
  liftId: z.int(),
});

/** @throws Error when the node does not answer */
export function readNode(primary: Primary): Promise<NodeContent> {
  return withClient(primary.url, async (client) => {
    const { rows } = await client.query(SCANS);
    const scans = rows.map((row): StoredScan => {
      const scan = scanRow.parse(row);
      return { key: scanKey(scan), skierId: scan.skierId, shard: scan.shard, node: primary.name };
    });
    const letters = `SELECT code || ': ' || detail || ' ' || payload::text AS line FROM dead_letters`;
    return { scans, wrongTotals: await wrongTotals(client), deadLetters: await lines(client, letters) };
  });
}

/** @returns where each shard has to be, by the directory's own tables */
export function readPlacement(directoryUrl: string): Promise<Placement> {
  const names = 'SELECT name AS line FROM shards JOIN nodes USING (node_id) ORDER BY shard';
  return withClient(directoryUrl, (client) => lines(client, names));
}

/** @returns the id of the device that the load posts as */
export function readDeviceId(directoryUrl: string, name: string): Promise<number> {
  return withClient(directoryUrl, async (client) => {
    const { rows } = await client.query<{ id: number }>('SELECT device_id AS id FROM devices WHERE name = $1', [name]);
    if (!rows[0]) throw new Error(`there is no device ${name}`);
    return rows[0].id;
  });
}

/** @returns everything in which a node's totals differ from its rows: nothing, or a line for each side of each difference */
export function wrongTotals(client: Queryable): Promise<string[]> {
  return lines(client, TOTALS);
}

async function lines(client: Queryable, query: string): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(query);
  return rows.map(({ line }) => line);
}

/** One connection for one piece of work. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: TIMEOUT_MS });
  client.on('error', () => {}); // the query in flight fails with it
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {}); // it may never have connected
  }
}
