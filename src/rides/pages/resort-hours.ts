import { Temporal } from 'temporal-polyfill';
import type { Resort } from '../../directory/snapshot.ts';
import type { ResortDayContent } from '../shapes.ts';
import type { Visitor } from './visitor.ts';

/** The present at a resort. */
export interface LocalNow {
  /** YYYY-MM-DD */
  date: string;
  /** HH:MM */
  time: string;
}

const LAST_HOUR = 23;

export function localNow({ timeZone }: Pick<Resort, 'timeZone'>, now: number): LocalNow {
  const local = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone);
  return { date: local.toPlainDate().toString(), time: local.toPlainTime().toString({ smallestUnit: 'minute' }) };
}

/** @returns the local hours from opening to closing, and every other one with a ride and those between */
export function hoursShown(
  { opensAt, closesAt }: Pick<Resort, 'opensAt' | 'closesAt'>,
  lifts: Pick<ResortDayContent['lifts'][number], 'hours'>[],
): number[] {
  const ridden = lifts.flatMap(({ hours }) => hours.flatMap((rides, hour) => (rides > 0 ? [hour] : [])));
  const [closingHour = 0, closingMinute = 0] = closesAt.split(':').map(Number);
  const lastOpen = closingMinute === 0 ? closingHour - 1 : closingHour;
  const first = Math.min(Number(opensAt.slice(0, 2)), ...ridden);
  const last = Math.min(LAST_HOUR, Math.max(lastOpen, ...ridden));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** A local hour, and how a visitor writes it: its beginning in full, and for a scale. */
export interface HourText {
  hour: number;
  full: string;
  short: string;
}

/** @returns the local hours of that day as the visitor writes them */
export function hourTexts(
  hours: number[],
  { timeZone, date }: { timeZone: string; date: string },
  visitor: Visitor,
): HourText[] {
  const day = Temporal.PlainDate.from(date);
  return hours.map((hour) => {
    const at = day.toZonedDateTime({ timeZone, plainTime: { hour } }).epochMilliseconds;
    return { hour, full: visitor.fullHour(at, timeZone), short: visitor.hour(at, timeZone) };
  });
}
