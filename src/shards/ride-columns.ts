import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { RidesFilter } from './history-rows.ts';
import type { leafTables } from './leaf-tables.ts';

type Scans = ReturnType<typeof leafTables>['scans'];

const DAY_MS = 86_400_000;
/** A ride's instant lies this near its local date: time zones reach from -12 to +14 hours, and SkiDataAPI's days run over. */
const DATE_MARGIN_MS = 2 * DAY_MS;
/** Before every ride. */
export const MIN_MS = Date.UTC(1900, 0);
/** After every ride. */
export const MAX_MS = Date.UTC(2200, 0);

const { placeholder } = sql;

export const epochMs = (column: PgColumn) => sql<number>`(extract(epoch FROM ${column}) * 1000)::bigint`;

/** A column under the name of its field. */
export const as = <T>(value: PgColumn | SQL<T>, field: string) => sql<T>`${value}`.as(field);

/** True for every row when the list is null. */
export const isOneOf = (column: PgColumn, name: string) =>
  sql`(${placeholder(name)}::int[] IS NULL OR ${column} = ANY(${placeholder(name)}::int[]))`;

/** The place of a ride that stands in three parameters, in the order of the primary key. */
export const placeOf = (ms: string, device: string, event: string) =>
  sql`(to_timestamp(${placeholder(ms)}::float8 / 1000), ${placeholder(device)}::int, ${placeholder(event)}::uuid)`;

/** The fields of a `RideRow`. */
export function rideColumns(scans: Scans) {
  const { eventId, resortId, liftId, deviceId, scannedAt, season, day, date, verticalM } = scans;
  return {
    eventId: as(eventId, 'eventId'),
    resortId: as(resortId, 'resortId'),
    liftId: as(liftId, 'liftId'),
    deviceId: as(deviceId, 'deviceId'),
    scannedAt: as(epochMs(scannedAt), 'scannedAt'),
    season: as(season, 'season'),
    day: as(day, 'day'),
    date: as(date, 'date'),
    verticalM: as(verticalM, 'verticalM'),
  };
}

/** What {@link filterValues} says of a ride. */
export function matchesFilter({ skierId, scannedAt, resortId, season, date }: Scans) {
  const instant = (name: string) => sql`to_timestamp(${placeholder(name)}::float8 / 1000)`;
  return and(
    eq(skierId, placeholder('skierId')),
    sql`${scannedAt} >= ${instant('fromMs')} AND ${scannedAt} <= ${instant('toMs')}`,
    sql`${date} BETWEEN ${placeholder('from')}::date AND ${placeholder('to')}::date`,
    isOneOf(resortId, 'resorts'),
    isOneOf(season, 'seasons'),
  );
}

/** The parameters of {@link matchesFilter}; the instants are bounds for the primary key. */
export function filterValues(skierId: number, { resorts, seasons, from, to }: Omit<RidesFilter, 'limit' | 'before'>) {
  return {
    skierId,
    resorts: resorts ?? null,
    seasons: seasons ?? null,
    from: from ?? '-infinity',
    to: to ?? 'infinity',
    fromMs: from === undefined ? MIN_MS : Date.parse(from) - DATE_MARGIN_MS,
    toMs: to === undefined ? MAX_MS : Date.parse(to) + DAY_MS + DATE_MARGIN_MS,
  };
}
