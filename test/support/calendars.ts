import * as fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import type { CalendarRules } from '../../src/domain/calendar.ts';

/** Where calendars break. */
const ZONES = [
  'UTC',
  'Europe/Zurich',
  'America/Denver',
  'America/Santiago', // no midnight on the day its summer begins
  'America/Sao_Paulo', // the same, until 2019
  'America/Havana', // midnight twice on the day its summer ends
  'America/St_Johns', // clocks went back from 00:01 to 23:01 the day before, until 2011
  'America/Caracas', // half an hour for good, in 2007 and 2016
  'Asia/Kathmandu', // +05:45
  'Asia/Tokyo',
  'Australia/Lord_Howe', // a summer of half an hour
  'Pacific/Auckland',
  'Pacific/Chatham', // +12:45
  'Pacific/Apia', // has no 2011-12-30
];
export const HOUR_MS = 3_600_000;

const yearlyDate = fc
  .integer({ min: 0, max: 364 })
  .map((days) => Temporal.PlainDate.from('2001-01-01').add({ days }).toString().slice(5));
export const rules: fc.Arbitrary<CalendarRules> = fc.record({
  timeZone: fc.constantFrom(...ZONES),
  opensAt: fc.constantFrom('00:00', '02:30', '08:30', '23:59'),
  seasonStartsOn: yearlyDate,
  seasons: fc.constant([]),
});
export const instant = fc.integer({ min: Date.UTC(1990, 1, 1), max: Date.UTC(2100, 0, 1) });

/** An instant within three hours of a change of the zone's offset, where calendars break. */
export const nearTransition = fc
  .tuple(fc.constantFrom(...ZONES), instant, fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }))
  .map(([timeZone, epochMs, offsetMs]) => {
    const zoned = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);
    return { timeZone, epochMs: (zoned.getTimeZoneTransition('previous') ?? zoned).epochMilliseconds + offsetMs };
  });

export function localOf(timeZone: string, epochMs: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);
}
