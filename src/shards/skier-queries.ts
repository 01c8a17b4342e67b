import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { shardSchema } from '../domain/shard.ts';
import type { DayRow, DaysFilter, RideRow, RidesFilter, SeasonRow } from './history-rows.ts';
import { leafTables } from './leaf-tables.ts';
import { type Answer, toAnswer, withState } from './read-at.ts';

/** What can be asked about a skier of one shard; each a statement that Postgres prepares once a connection. */
export type SkierQueries = ReturnType<typeof prepareSkierQueries>;

const DAY_MS = 86_400_000;
/** A ride's instant lies this near its local date: time zones reach from -12 to +14 hours, and SkiDataAPI's days run over. */
const DATE_MARGIN_MS = 2 * DAY_MS;
const MIN_MS = Date.UTC(1900, 0);
const MAX_MS = Date.UTC(2200, 0);

const { placeholder } = sql;
const epochMs = (column: PgColumn) => sql<number>`(extract(epoch FROM ${column}) * 1000)::bigint`;
/** a column under the name of its field */
const as = <T>(value: PgColumn | SQL<T>, field: string) => sql<T>`${value}`.as(field);
const instant = (name: string) => sql`to_timestamp(${placeholder(name)}::float8 / 1000)`;
const count = (expression: SQL) => sql<number>`${expression}::float8`;
/** true for every row when the list is null */
const isOneOf = (column: PgColumn, name: string) =>
  sql`(${placeholder(name)}::int[] IS NULL OR ${column} = ANY(${placeholder(name)}::int[]))`;

/** Where a shard is, and what carries its scans. */
export interface ShardPlace {
  shard: number;
  lane: number;
  /** see `Position` */
  epoch: number;
}

/** Prepares the statements of one shard's leaf. */
export function prepareSkierQueries(db: NodePgDatabase, place: ShardPlace) {
  const { epoch } = place;
  const queries = { rides: prepareRides(db, place), days: prepareDays(db, place), totals: prepareTotals(db, place) };
  return {
    async rides(skierId: number, f: RidesFilter): Promise<Answer<RideRow[]>> {
      const { fromMs, toMs } = around(f.from, f.to);
      const rows = await queries.rides.execute({
        skierId,
        resorts: f.resorts ?? null,
        seasons: f.seasons ?? null,
        from: f.from ?? '-infinity',
        to: f.to ?? 'infinity',
        fromMs,
        toMs,
        limit: f.limit,
        beforeMs: f.before?.scannedAt ?? MAX_MS,
        beforeDevice: f.before?.deviceId ?? 0,
        beforeEvent: f.before?.eventId ?? '00000000-0000-0000-0000-000000000000',
      });
      return toAnswer(rows, epoch);
    },
    /** every ride of a local date, newest first */
    ridesOn(skierId: number, date: string): Promise<Answer<RideRow[]>> {
      return this.rides(skierId, { from: date, to: date, limit: 2 ** 31 - 1 });
    },
    async days(skierId: number, f: DaysFilter): Promise<Answer<DayRow[]>> {
      const rows = await queries.days.execute({
        skierId,
        resorts: f.resorts ?? null,
        seasons: f.seasons ?? null,
        limit: f.limit,
        beforeDate: f.before?.date ?? 'infinity',
        beforeSeason: f.before?.season ?? 0,
        beforeResort: f.before?.resortId ?? 0,
        beforeDay: f.before?.day ?? 0,
      });
      return toAnswer(rows, epoch);
    },
    async seasons(skierId: number): Promise<Answer<SeasonRow[]>> {
      return toAnswer(await queries.totals.seasons.execute({ skierId }), epoch);
    },
    async dayVertical(skierId: number, resortId: number, season: number, day: number): Promise<number | null> {
      const [row] = await queries.totals.dayVertical.execute({ skierId, resortId, season, day });
      return row?.verticalM ?? null;
    },
    verticalBySeason: (skierId: number, resorts: number[], seasons?: number[]) =>
      queries.totals.verticalBySeason.execute({ skierId, resorts, seasons: seasons ?? null }),
  };
}

/** The instants that rides of these local dates can have: bounds for the primary key. */
function around(from: string | undefined, to: string | undefined): { fromMs: number; toMs: number } {
  return {
    fromMs: from === undefined ? MIN_MS : Date.parse(from) - DATE_MARGIN_MS,
    toMs: to === undefined ? MAX_MS : Date.parse(to) + DAY_MS + DATE_MARGIN_MS,
  };
}

/** Read from the end of the primary key (skier, scannedAt, device, eventId): a page costs what a page holds. */
function prepareRides(db: NodePgDatabase, { shard, lane }: ShardPlace) {
  const { scans } = leafTables(shard);
  const { skierId, scannedAt, deviceId, eventId, resortId, liftId, season, day, date, verticalM } = scans;
  const before = sql`(${scannedAt}, ${deviceId}, ${eventId}) <
    (${instant('beforeMs')}, ${placeholder('beforeDevice')}::int, ${placeholder('beforeEvent')}::uuid)`;
  const page = db
    .select({
      eventId: as(eventId, 'eventId'),
      resortId: as(resortId, 'resortId'),
      liftId: as(liftId, 'liftId'),
      deviceId: as(deviceId, 'deviceId'),
      scannedAt: as(epochMs(scannedAt), 'scannedAt'),
      season: as(season, 'season'),
      day: as(day, 'day'),
      date: as(date, 'date'),
      verticalM: as(verticalM, 'verticalM'),
    })
    .from(scans)
    .where(
      and(
        eq(skierId, placeholder('skierId')),
        sql`${scannedAt} >= ${instant('fromMs')} AND ${scannedAt} <= ${instant('toMs')}`,
        sql`${date} BETWEEN ${placeholder('from')}::date AND ${placeholder('to')}::date`,
        isOneOf(resortId, 'resorts'),
        isOneOf(season, 'seasons'),
        before,
      ),
    )
    .orderBy(desc(scannedAt), desc(deviceId), desc(eventId))
    .limit(placeholder('limit'));
  return withState<RideRow>(db, lane, page).prepare(`${shardSchema(shard)}_rides`);
}

function prepareDays(db: NodePgDatabase, { shard, lane }: ShardPlace) {
  const { skierDays } = leafTables(shard);
  const { skierId, resortId, season, day, date, rides, verticalM, firstAt, lastAt } = skierDays;
  const before = sql`(${date}, ${season}, ${resortId}, ${day}) < (${placeholder('beforeDate')}::date,
    ${placeholder('beforeSeason')}::int, ${placeholder('beforeResort')}::int, ${placeholder('beforeDay')}::int)`;
  const page = db
    .select({
      resortId: as(resortId, 'resortId'),
      season: as(season, 'season'),
      day: as(day, 'day'),
      date: as(date, 'date'),
      rides: as(rides, 'rides'),
      verticalM: as(verticalM, 'verticalM'),
      firstAt: as(epochMs(firstAt), 'firstAt'),
      lastAt: as(epochMs(lastAt), 'lastAt'),
    })
    .from(skierDays)
    .where(and(eq(skierId, placeholder('skierId')), isOneOf(resortId, 'resorts'), isOneOf(season, 'seasons'), before))
    .orderBy(desc(date), desc(season), desc(resortId), desc(day))
    .limit(placeholder('limit'));
  return withState<DayRow>(db, lane, page).prepare(`${shardSchema(shard)}_days`);
}

function prepareTotals(db: NodePgDatabase, { shard, lane }: ShardPlace) {
  const { skierDays } = leafTables(shard);
  const { skierId, resortId, season, day, date, rides, verticalM } = skierDays;
  const ofSkier = eq(skierId, placeholder('skierId'));
  const name = (query: string) => `${shardSchema(shard)}_${query}`;
  const seasons = db
    .select({
      season: as(season, 'season'),
      days: as(sql<number>`count(DISTINCT ${date})`, 'days'),
      rides: as(sql<number>`sum(${rides})`, 'rides'),
      verticalM: as(sql<number>`sum(${verticalM})`, 'verticalM'),
    })
    .from(skierDays)
    .where(ofSkier)
    .groupBy(season)
    .orderBy(desc(season));
  return {
    seasons: withState<SeasonRow>(db, lane, seasons).prepare(name('seasons')),
    dayVertical: db
      .select({ verticalM })
      .from(skierDays)
      .where(
        and(
          ofSkier,
          eq(resortId, placeholder('resortId')),
          eq(season, placeholder('season')),
          eq(day, placeholder('day')),
        ),
      )
      .prepare(name('day_vertical')),
    verticalBySeason: db
      .select({ season, verticalM: count(sql`sum(${verticalM})`) })
      .from(skierDays)
      .where(and(ofSkier, isOneOf(resortId, 'resorts'), isOneOf(season, 'seasons')))
      .groupBy(season)
      .orderBy(desc(season))
      .prepare(name('vertical_by_season')),
  };
}
