import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { MAX_SEASON, MIN_SEASON, ResortCalendar } from '../domain/calendar.ts';
import { inputProblems } from './input-problems.ts';
import type { ResortRow } from './snapshot.ts';

/** A file of resorts that can't be taken, with everything that is wrong with it. */
export class ResortFileError extends Error {
  override readonly name = 'ResortFileError';
  /** one line each, beginning with the path of what is wrong */
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const MAX_ID = 2_147_483_647;
const id = z.int().min(1).max(MAX_ID);
const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\s](.*[^\p{Cc}\s])?$/u, 'must not begin or end with a space')
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');
const CLOCK_TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const clockTime = z.string().regex(CLOCK_TIME, 'must be a local time, HH:MM');

const resortSchema = z
  .strictObject({
    resortId: id,
    name,
    timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone, like Europe/Zurich'),
    opensAt: clockTime,
    closesAt: clockTime,
    seasonStartsOn: z.string().refine(isYearlyDate, 'must be a day that every year has, MM-DD'),
    seasons: z
      .array(z.strictObject({ season: z.int().min(MIN_SEASON).max(MAX_SEASON), startsOn: z.iso.date() }))
      .max(MAX_SEASON - MIN_SEASON + 1),
    lifts: z
      .array(z.strictObject({ liftId: id, name, verticalM: z.int().min(0).max(10_000) }))
      .min(1)
      .max(2_000),
  })
  .refine(({ opensAt, closesAt }) => !CLOCK_TIME.test(opensAt) || opensAt < closesAt, {
    path: ['closesAt'],
    error: 'must be later than opensAt',
  });

const fileSchema = z.strictObject({ resorts: z.array(z.unknown()).min(1).max(1_000) });

/** A file of resorts as it may be, with every field there is: all of them are required. */
export const RESORT_FILE_EXAMPLE = `{"resorts": [{
  "resortId": 11, "name": "Piz Sura", "timeZone": "Europe/Zurich", "opensAt": "08:30", "closesAt": "16:30",
  "seasonStartsOn": "11-01",
  "seasons": [{"season": 2026, "startsOn": "2026-11-01"}],
  "lifts": [{"liftId": 1, "name": "Sura Express", "verticalM": 420}]
}]}`;

/**
 * Reads a file of resorts, like {@link RESORT_FILE_EXAMPLE}, and checks all of it.
 *
 * Ids are 1 to 2147483647; a resort's id and name are its own, a lift's id is its own within its resort. A season is named
 * by a year, 1990 to 2100, and lasts until the next one starts, at most 366 days; a year without an entry in `seasons`
 * starts on `seasonStartsOn`. Times and dates are local. `verticalM` is in metres, 0 to 10000.
 *
 * @throws ResortFileError with every problem of the file
 */
export function readResortFile(text: string): ResortRow[] {
  const file = fileSchema.safeParse(parseJson(text));
  if (!file.success) throw new ResortFileError(inputProblems(file.error));
  const problems: string[] = [];
  const resorts = file.data.resorts.map((entry, i) => {
    const resort = resortSchema.safeParse(entry);
    if (resort.success) return resort.data;
    problems.push(...inputProblems(resort.error, ['resorts', i]));
    return undefined;
  });
  problems.push(...problemsBetween(resorts));
  if (problems.length > 0) throw new ResortFileError(problems);
  return resorts.filter((resort) => resort !== undefined);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ResortFileError([`not JSON: ${(error as Error).message}`]);
  }
}

/** What is wrong between entries that are each well formed; the others are undefined. */
function problemsBetween(resorts: (ResortRow | undefined)[]): string[] {
  const sound = resorts.flatMap((resort, i) => (resort ? [{ resort, at: `resorts[${i}]` }] : []));
  return [
    ...repeated(sound.map(({ resort, at }) => ({ value: resort.resortId, at: `${at}.resortId` }))),
    ...repeated(sound.map(({ resort, at }) => ({ value: resort.name, at: `${at}.name` }))),
    ...sound.flatMap(({ resort, at }) => [
      ...repeated(resort.lifts.map(({ liftId }, i) => ({ value: liftId, at: `${at}.lifts[${i}].liftId` }))),
      ...repeated(resort.seasons.map(({ season }, i) => ({ value: season, at: `${at}.seasons[${i}].season` }))),
      ...new ResortCalendar(resort).problems().map((problem) => `${at}.seasons: ${problem}`),
    ]),
  ];
}

function repeated(entries: { value: number | string; at: string }[]): string[] {
  const first = new Map<number | string, string>();
  return entries.flatMap(({ value, at }) => {
    const earlier = first.get(value);
    if (earlier !== undefined) return [`${at}: ${JSON.stringify(value)} is taken by ${earlier}`];
    first.set(value, at);
    return [];
  });
}

/** A named zone: an offset like +01:00, which the calendar would also take, knows no daylight saving time. */
function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text);
    return true;
  } catch {
    return false;
  }
}

function isYearlyDate(text: string): boolean {
  return /^\d\d-\d\d$/.test(text) && z.iso.date().safeParse(`2001-${text}`).success;
}
