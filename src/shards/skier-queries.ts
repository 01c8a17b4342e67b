import { and, desc, eq, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { shardSchema } from '../domain/shard.ts';
import type { DayRow, DaysFilter, RideRow, RidesFilter, SeasonRow, SeasonVerticalRow } from './history-rows.ts';
import { leafTables } from './leaf-tables.ts';
import { prepareNewRides } from './new-rides.ts';
import { type Answer, toAnswer, withState } from './read-at.ts';
import type { ShardPlace } from './shard-place.ts';
import { as, epochMs, filterValues, isOneOf, MAX_MS, matchesFilter, placeOf, rideColumns } from './ride-columns.ts';

/** What can be asked about a skier of one shard; each a statement that Postgres prepares once a connection. */
export type SkierQueries = ReturnType<typeof prepareSkierQueries>;

const { placeholder } = sql;

/** Prepares the statements of one shard's leaf. */
export function prepareSkierQueries(db: NodePgDatabase, place: ShardPlace) {
  const { epoch } = place;
  const queries = { rides: prepareRides(db, place), days: prepareDays(db, place), totals: prepareTotals(db, place) };
  return {
    async rides(skierId: number, f: RidesFilter): Promise<Answer<RideRow[]>> {
      const rows = await queries.rides.execute({
        ...filterValues(skierId, f),
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
    newRides: prepareNewRides(db, place),
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
    async dayVertical(skierId: number, resortId: number, season: number, day: number): Promise<Answer<number | null>> {
      const rows = await queries.totals.dayVertical.execute({ skierId, resortId, season, day });
      const { found, at } = toAnswer(rows, epoch);
      return { found: found[0]?.verticalM ?? null, at };
    },
    async verticalBySeason(
      skierId: number,
      resorts: number[],
      seasons?: number[],
    ): Promise<Answer<SeasonVerticalRow[]>> {
      const rows = await queries.totals.verticalBySeason.execute({ skierId, resorts, seasons: seasons ?? null });
      return toAnswer(rows, epoch);
    },
  };
}

/** Read from the end of the primary key (skier, scannedAt, device, eventId): a page costs what a page holds. */
function prepareRides(db: NodePgDatabase, { shard, lane }: ShardPlace) {
  const { scans } = leafTables(shard);
  const { scannedAt, deviceId, eventId } = scans;
  const before = sql`(${scannedAt}, ${deviceId}, ${eventId}) < ${placeOf('beforeMs', 'beforeDevice', 'beforeEvent')}`;
  const page = db
    .select(rideColumns(scans))
    .from(scans)
    .where(and(matchesFilter(scans), before))
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
  const dayVertical = db
    .select({ verticalM: as(verticalM, 'verticalM') })
    .from(skierDays)
    .where(
      and(
        ofSkier,
        eq(resortId, placeholder('resortId')),
        eq(season, placeholder('season')),
        eq(day, placeholder('day')),
      ),
    );
  const verticalBySeason = db
    .select({ season: as(season, 'season'), verticalM: as(sql<number>`sum(${verticalM})`, 'verticalM') })
    .from(skierDays)
    .where(and(ofSkier, isOneOf(resortId, 'resorts'), isOneOf(season, 'seasons')))
    .groupBy(season)
    .orderBy(desc(season));
  return {
    seasons: withState<SeasonRow>(db, lane, seasons).prepare(name('seasons')),
    dayVertical: withState<Pick<SeasonRow, 'verticalM'>>(db, lane, dayVertical).prepare(name('day_vertical')),
    verticalBySeason: withState<SeasonVerticalRow>(db, lane, verticalBySeason).prepare(name('vertical_by_season')),
  };
}
