import { createHash } from 'node:crypto';
import { Temporal } from 'temporal-polyfill';
import { deriveEventId } from '../domain/scan.ts';
import { planDay } from './day-plan.ts';
import { type DaySize, type DaySizeWishes, sizeDay } from './day-size.ts';
import { type Delivery, planDeliveries, planOutages } from './delivery.ts';
import type { ResortInfo } from './history-api.ts';
import { liftNetwork } from './network.ts';
import type { SimulatedRide } from './tally.ts';

export interface SkiDayOptions extends DaySizeWishes {
  seed: string;
  resort: ResortInfo;
  /** the resort's local date, YYYY-MM-DD */
  date: string;
  firstSkierId: number;
  /** 0 to 1: gates that lose their network once in the day */
  offlineShare: number;
  /** 0 to 1: requests that are sent twice */
  againShare: number;
}

/** A whole day, ready to be played. */
export interface SkiDay {
  size: DaySize;
  /** real seconds from opening to closing */
  durationS: number;
  rides: readonly SimulatedRide[];
  deliveries: readonly Delivery<SimulatedRide>[];
  bySkier: ReadonlyMap<number, readonly SimulatedRide[]>;
  /** tells by its id whether a ride is of this plan; the same options make the same ids */
  isOurs(eventId: string): boolean;
}

const SAMPLE_SKIERS = 200;

/** @throws RangeError when the wishes contradict each other or the resort never opens */
export function planSkiDay(o: SkiDayOptions): SkiDay {
  const opensAtMinute = clockMinute(o.resort.opensAt);
  const closesAtMinute = clockMinute(o.resort.closesAt);
  if (closesAtMinute <= opensAtMinute) throw new RangeError(`${o.resort.name} closes before it opens`);
  const dayMs = (closesAtMinute - opensAtMinute) * 60_000;
  const network = liftNetwork(o.resort.lifts);
  const people = { seed: o.seed, firstSkierId: o.firstSkierId, network, opensAtMinute, closesAtMinute };
  const size = sizeDay(o, planDay({ ...people, skiers: SAMPLE_SKIERS, pace: 1 }).length / SAMPLE_SKIERS, dayMs);

  const tag = planTag(o, size);
  const openingMs = openingOf(o);
  const verticals = new Map(o.resort.lifts.map(({ liftId, verticalM }) => [liftId, verticalM]));
  const rides = planDay({ ...people, ...size }).map(
    (ride): SimulatedRide => ({
      ...ride,
      eventId: `${tag}${deriveEventId('simulated', tag, ride.skierId, ride.atMs).slice(tag.length)}`,
      scannedAtMs: openingMs + ride.atMs,
      verticalM: verticals.get(ride.liftId) ?? 0,
    }),
  );
  const outages = planOutages({
    seed: o.seed,
    liftIds: o.resort.lifts.map(({ liftId }) => liftId),
    share: o.offlineShare,
    dayMs,
  });
  return {
    size,
    durationS: dayMs / 1_000 / size.speed,
    rides,
    deliveries: planDeliveries(rides, { seed: o.seed, outages, againShare: o.againShare }),
    bySkier: Map.groupBy(rides, ({ skierId }) => skierId),
    isOurs: (eventId) => eventId.startsWith(tag),
  };
}

/** @returns yesterday's date at the resort: the whole day lies in the past, so no gate can be ahead of the clock */
export function yesterdayAt(timeZone: string, nowMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(nowMs)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .subtract({ days: 1 })
    .toString();
}

/** The first eight hex digits of all event ids of a plan. */
function planTag(o: SkiDayOptions, { skiers, pace }: DaySize): string {
  const parts = [o.seed, o.resort.resortId, o.date, o.firstSkierId, skiers, pace];
  return createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 8);
}

function openingOf({ date, resort }: SkiDayOptions): number {
  return Temporal.PlainDate.from(date, { overflow: 'reject' }).toZonedDateTime({
    timeZone: resort.timeZone,
    plainTime: Temporal.PlainTime.from(resort.opensAt),
  }).epochMilliseconds;
}

function clockMinute(text: string): number {
  const time = Temporal.PlainTime.from(text);
  return time.hour * 60 + time.minute;
}
