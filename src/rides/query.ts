import { z } from 'zod';
import { MAX_SEASON, MIN_SEASON } from '../domain/calendar.ts';
import { Problem } from '../domain/problem.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';

/** A request's query: every value of each name. Names that no route knows are ignored. */
export type Query = Record<string, string[]>;

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;
/** `resort=1&resort=2&...`: more than any group has resorts, and short enough for one query. */
const MAX_REPEATS = 100;
const INTEGER = /^-?\d{1,15}$/;
const DATE_SHAPE = /^\d{4}-\d{2}-\d{2}$/;
const MIN_YEAR = 1900;
const MAX_YEAR = 2199;

/**
 * @param what names the value in the problem
 * @throws Problem `malformed` for what is no whole number, `invalid` for one that is out of range
 */
export function readInteger(text: string, what: string, min: number, max: number): number {
  if (!INTEGER.test(text)) throw new Problem('malformed', `${what} must be a whole number`);
  const value = Number(text);
  if (value < min || value > max) throw new Problem('invalid', `${what} must be ${min} to ${max}`);
  return value;
}

/** @returns an id of a skier, resort, lift or device: 1 to 2147483647; @throws as {@link readInteger} */
export function readId(text: string, what: string): number {
  return readInteger(text, what, 1, MAX_SKIER_ID);
}

/** @throws Problem `malformed` for what is no YYYY-MM-DD, `invalid` for a date that no calendar has, or before 1900 or after 2199 */
export function readDate(text: string, what: string): string {
  if (!DATE_SHAPE.test(text)) throw new Problem('malformed', `${what} must be a date, YYYY-MM-DD`);
  const year = Number(text.slice(0, 4));
  const exists = z.iso.date().safeParse(text).success && year >= MIN_YEAR && year <= MAX_YEAR;
  if (!exists) throw new Problem('invalid', `${what}: there is no such date`);
  return text;
}

/** @returns the value of a parameter that may come once, or undefined; @throws Problem `malformed` when it repeats */
export function single(query: Query, name: string): string | undefined {
  const values = query[name];
  if (values === undefined || values.length === 0) return undefined;
  if (values.length > 1) throw new Problem('malformed', `${name} may be given once`);
  return values[0];
}

/** @returns every value of a parameter that may repeat, or undefined without one; @throws Problem `invalid` beyond 100 */
export function repeated<T>(query: Query, name: string, read: (text: string) => T): T[] | undefined {
  const values = query[name];
  if (values === undefined || values.length === 0) return undefined;
  if (values.length > MAX_REPEATS) throw new Problem('invalid', `${name} may be given ${MAX_REPEATS} times`);
  return [...new Set(values.map(read))];
}

export function readLimit(query: Query): number {
  const text = single(query, 'limit');
  return text === undefined ? DEFAULT_LIMIT : readInteger(text, 'limit', 1, MAX_LIMIT);
}

export function readSeasons(query: Query): number[] | undefined {
  return repeated(query, 'season', (text) => readInteger(text, 'season', MIN_SEASON, MAX_SEASON));
}

/**
 * @param isKnown whether there is a resort of this id
 * @throws Problem `unknown_resort`, and as {@link readInteger}
 */
export function readResorts(query: Query, isKnown: (resortId: number) => boolean): number[] | undefined {
  return repeated(query, 'resort', (text) => {
    const resortId = readId(text, 'resort');
    if (!isKnown(resortId)) throw new Problem('unknown_resort', `there is no resort ${resortId}`);
    return resortId;
  });
}

/** @returns `from` and `to`, both inclusive local days; @throws Problem `invalid` when they are the wrong way round */
export function readDateRange(query: Query): { from?: string; to?: string } {
  const from = single(query, 'from');
  const to = single(query, 'to');
  const range = {
    ...(from === undefined ? {} : { from: readDate(from, 'from') }),
    ...(to === undefined ? {} : { to: readDate(to, 'to') }),
  };
  if (range.from && range.to && range.from > range.to) throw new Problem('invalid', 'from is after to');
  return range;
}

/** @returns `resort` and `season`; @throws as {@link readResorts} and {@link readSeasons} */
export function readFilters(
  query: Query,
  known: ReadonlyMap<number, unknown>,
): { resorts?: number[]; seasons?: number[] } {
  const resorts = readResorts(query, (resortId) => known.has(resortId));
  const seasons = readSeasons(query);
  return { ...(resorts === undefined ? {} : { resorts }), ...(seasons === undefined ? {} : { seasons }) };
}
