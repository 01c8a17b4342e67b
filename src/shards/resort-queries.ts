import type { Pool } from 'pg';
import type { ResortDayTotals } from './history-rows.ts';

/**
 * What a node holds of a resort's day, added up from its skiers' days: no row that all writers of the resort would wait
 * for. These name the parents, whose plans over every leaf cost more than the query: Postgres prepares them by name and
 * keeps a generic plan.
 */
export async function readResortDay(
  pool: Pool,
  resortId: number,
  season: number,
  day: number,
): Promise<ResortDayTotals> {
  const [totals, lifts] = await Promise.all([
    pool.query<{ skiers: number; rides: number; vertical_m: number }>({
      name: 'resort_day',
      text: `SELECT count(*)::float8 AS skiers, coalesce(sum(rides), 0)::float8 AS rides,
               coalesce(sum(vertical_m), 0)::float8 AS vertical_m
             FROM skier_days WHERE resort_id = $1 AND season = $2 AND day = $3`,
      values: [resortId, season, day],
    }),
    pool.query<{ lift_id: number; hour: number; rides: number }>({
      name: 'resort_day_lifts',
      text: `SELECT (lift_hour / 32)::float8 AS lift_id, (lift_hour % 32)::int AS hour, count(*)::float8 AS rides
             FROM (SELECT unnest(lift_hours) AS lift_hour
                   FROM skier_days WHERE resort_id = $1 AND season = $2 AND day = $3) AS taken
             GROUP BY lift_hour`,
      values: [resortId, season, day],
    }),
  ]);
  const row = totals.rows[0];
  return {
    skiers: row?.skiers ?? 0,
    rides: row?.rides ?? 0,
    verticalM: row?.vertical_m ?? 0,
    lifts: lifts.rows.map(({ lift_id, hour, rides }) => ({ liftId: lift_id, hour, rides })),
  };
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
/** Adds up what the nodes have; exact, since a skier lives on one shard. */
export function sumResortDays(parts: ResortDayTotals[]): ResortDayTotals {
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
