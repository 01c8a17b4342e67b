import type { Pool } from 'pg';
import type { ResortDayTotals } from './history-rows.ts';
import { IDENTITY, type ReadAt, SNAPSHOT, told } from './read-at.ts';

/** A resort's day as one node has it, and from which state. */
export interface ResortDayPart {
  totals: ResortDayTotals;
  asOf: ReadAt['asOf'];
  nodeId: number;
  position: NodePosition;
}

/** A state of a node. */
export type NodePosition = Omit<ReadAt['position'], 'epoch'>;

/** A resort's day of all nodes. */
export interface ResortDayAnswer {
  found: ResortDayTotals;
  /** of the lane that is furthest behind */
  asOf: ReadAt['asOf'];
  /** by node */
  positions: ReadonlyMap<number, NodePosition>;
}

const RESORT_DAY = {
  name: 'resort_day',
  text: `
  WITH days AS MATERIALIZED (
    SELECT rides, vertical_m, lift_hours FROM skier_days WHERE resort_id = $1 AND season = $2 AND day = $3
  )
  SELECT count(*)::float8 AS skiers, coalesce(sum(rides), 0)::float8 AS rides,
    coalesce(sum(vertical_m), 0)::float8 AS "verticalM",
    (SELECT coalesce(json_agg(lift), '[]') FROM (
      SELECT lift_hour / 32 AS "liftId", (lift_hour % 32)::int AS hour, count(*) AS rides
      FROM (SELECT unnest(lift_hours) AS lift_hour FROM days) AS taken GROUP BY lift_hour) AS lift) AS lifts,
    (SELECT (extract(epoch FROM min(coalesce(as_of, '-infinity'))) * 1000)::float8
      FROM unnest($4::smallint[]) AS here (lane) LEFT JOIN lane_as_of USING (lane)) AS "asOf",
    ${SNAPSHOT} AS snapshot, (SELECT ${IDENTITY} FROM node_identity) AS identity
  FROM days`,
};

/**
 * What a node holds of a resort's day, added up from its skiers' days: no row that all writers of the resort would wait
 * for. It names the parents, whose plans over every leaf cost more than the query: Postgres prepares it by name and
 * keeps a generic plan.
 *
 * @param lanes those that have shards there
 */
export async function readResortDay(
  { pool, nodeId }: { pool: Pool; nodeId: number },
  of: { resortId: number; season: number; day: number },
  lanes: readonly number[],
): Promise<ResortDayPart> {
  const { rows } = await pool.query<ResortDayTotals & NodePosition & { asOf: number | null }>({
    ...RESORT_DAY,
    values: [of.resortId, of.season, of.day, lanes],
  });
  const [row] = rows;
  if (!row) throw new Error('a sum without a row');
  const { asOf, snapshot, identity, ...totals } = row;
  return { totals, asOf: told(asOf), nodeId, position: { identity, snapshot } };
}

/** Different skiers at a resort on a day; the index alone tells them. */
export async function readResortSkiers(pool: Pool, resortId: number, season: number, day: number): Promise<number> {
  const { rows } = await pool.query<{ skiers: number }>({
    name: 'resort_skiers',
    text: 'SELECT count(*)::float8 AS skiers FROM skier_days WHERE resort_id = $1 AND season = $2 AND day = $3',
    values: [resortId, season, day],
  });
  return rows[0]?.skiers ?? 0;
}

/** The seasons that rides of a resort were stored under: from one to the next by the index, however many rides there are. */
export async function readStoredSeasons(pool: Pool, resortId: number): Promise<number[]> {
  const { rows } = await pool.query<{ season: number }>({
    name: 'resort_seasons',
    text: `WITH RECURSIVE stored AS (
             SELECT min(season) AS season FROM skier_days WHERE resort_id = $1
             UNION ALL
             SELECT (SELECT min(season) FROM skier_days WHERE resort_id = $1 AND season > stored.season)
             FROM stored WHERE stored.season IS NOT NULL)
           SELECT season FROM stored WHERE season IS NOT NULL`,
    values: [resortId],
  });
  return rows.map(({ season }) => season);
}

/** Adds up what the nodes have; exact, since a skier lives on one shard. Complete until the first of them no longer is. */
export function sumResortDays(parts: ResortDayPart[]): ResortDayAnswer {
  const times = parts.map(({ asOf }) => asOf);
  const asOf = times.every((time) => time !== null) ? Math.min(...times) : null;
  const positions = new Map(parts.map(({ nodeId, position }) => [nodeId, position]));
  return { found: sumTotals(parts.map(({ totals }) => totals)), asOf, positions };
}

function sumTotals(parts: ResortDayTotals[]): ResortDayTotals {
  const rides = new Map<string, ResortDayTotals['lifts'][number]>();
  for (const entry of parts.flatMap((part) => part.lifts)) {
    const key = `${entry.liftId} ${entry.hour}`;
    const sum = rides.get(key);
    if (sum) sum.rides += entry.rides;
    else rides.set(key, { ...entry });
  }
  const sumOf = (field: 'skiers' | 'rides' | 'verticalM') => parts.reduce((sum, part) => sum + part[field], 0);
  return { skiers: sumOf('skiers'), rides: sumOf('rides'), verticalM: sumOf('verticalM'), lifts: [...rides.values()] };
}
