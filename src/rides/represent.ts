import type { Resort } from '../directory/snapshot.ts';
import type { DayRow, ResortDayTotals, RideRow } from '../shards/history-rows.ts';
import type { DayJson, LiftRidesJson, ResortDayContent, ResortDetail, RideJson, SkierDayContent } from './shapes.ts';

type Resorts = ReadonlyMap<number, Resort>;

const HOURS = 24;

/** @param asOf milliseconds since the epoch; null: nobody knows */
export function asOfText(asOf: number | null): string | null {
  return asOf === null ? null : new Date(asOf).toISOString();
}

export function rideJson(ride: RideRow, resorts: Resorts): RideJson {
  const { eventId, resortId, liftId, day, date, verticalM } = ride;
  const scannedAt = new Date(ride.scannedAt).toISOString();
  const liftName = liftNameOf(resorts, resortId, liftId);
  return { eventId, resortId, liftId, liftName, scannedAt, season: String(ride.season), day, date, verticalM };
}

export function dayJson(row: DayRow): DayJson {
  const { resortId, day, date, rides, verticalM } = row;
  const firstAt = new Date(row.firstAt).toISOString();
  const lastAt = new Date(row.lastAt).toISOString();
  return { resortId, season: String(row.season), day, date, rides, verticalM, firstAt, lastAt };
}

/** A skier's local date: usually one day at one resort. */
export function skierDayJson(
  date: string,
  { days, rides }: { days: DayRow[]; rides: RideRow[] },
  resorts: Resorts,
): SkierDayContent {
  const ridesOf = Map.groupBy(rides, dayKey);
  return {
    date,
    days: days.map((row) => ({ ...dayJson(row), lifts: liftRides(ridesOf.get(dayKey(row)) ?? [], resorts) })),
    rides: rides.map((ride) => rideJson(ride, resorts)),
  };
}

export function resortDetailJson(resort: Resort): ResortDetail {
  const { resortId, name, timeZone, opensAt, closesAt, lifts, calendar } = resort;
  return {
    resortId,
    name,
    timeZone,
    opensAt,
    closesAt,
    lifts: [...lifts.values()],
    seasons: calendar.declaredSeasons.map(String),
  };
}

/** Lifts that nobody rode that day are left out. */
export function resortDayJson(
  resort: Resort,
  of: { date: string; season: number; day: number },
  totals: ResortDayTotals,
): ResortDayContent {
  const { skiers, rides, verticalM } = totals;
  const byLift = Map.groupBy(totals.lifts, ({ liftId }) => liftId);
  const lifts = [...byLift]
    .toSorted(([a], [b]) => a - b)
    .map(([liftId, entries]) => {
      const hours = Array.from({ length: HOURS }, () => 0);
      for (const entry of entries) hours[entry.hour] = (hours[entry.hour] ?? 0) + entry.rides;
      const name = resort.lifts.get(liftId)?.name ?? unknownLift(liftId);
      return { liftId, name, rides: hours.reduce((sum, n) => sum + n, 0), hours };
    });
  const { date, season, day } = of;
  return {
    resortId: resort.resortId,
    date,
    season: String(season),
    day,
    skiers,
    rides,
    verticalM,
    lifts,
  };
}

function liftRides(rides: RideRow[], resorts: Resorts): LiftRidesJson[] {
  return [...Map.groupBy(rides, ({ liftId }) => liftId)]
    .toSorted(([a], [b]) => a - b)
    .map(([liftId, of]) => ({
      liftId,
      liftName: liftNameOf(resorts, of[0]?.resortId ?? 0, liftId),
      rides: of.length,
    }));
}

function dayKey(row: { resortId: number; season: number; day: number }): string {
  return `${row.resortId} ${row.season} ${row.day}`;
}

function liftNameOf(resorts: Resorts, resortId: number, liftId: number): string {
  return resorts.get(resortId)?.lifts.get(liftId)?.name ?? unknownLift(liftId);
}

/** A lift that the directory no longer has still has its rides. */
function unknownLift(liftId: number): string {
  return `Lift ${liftId}`;
}
