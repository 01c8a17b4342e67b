import { z } from 'zod';
import { Problem } from '../domain/problem.ts';
import { isUuid } from '../domain/scan.ts';

/** Where a page of rides ended: the last ride's place in the order newest first. */
export interface RideKey {
  scannedAt: number;
  deviceId: number;
  eventId: string;
}

/** Where a page of days ended. */
export interface DayKey {
  date: string;
  season: number;
  resortId: number;
  day: number;
}

const VERSION = 1;
const MAX_CURSOR_LENGTH = 200;
/** Every ride falls into these years, and Postgres knows them all; it doesn't know all that a JavaScript Date can hold. */
const MIN_TIME_MS = Date.UTC(1900, 0, 1);
const MAX_TIME_MS = Date.UTC(2200, 0, 1);
const DATE = /^(19|20|21)/;
const integer = z.int().min(0).max(2_147_483_647);
const timeMs = z.int().min(MIN_TIME_MS).max(MAX_TIME_MS);
const localDate = z.iso.date().regex(DATE);

const rideCursor = z.tuple([z.literal(VERSION), z.literal('ride'), timeMs, integer, z.string().refine(isUuid)]);
const dayCursor = z.tuple([z.literal(VERSION), z.literal('day'), localDate, integer, integer, integer]);

/** @returns an opaque cursor: base64url, without secrets, of a version that later code can still tell apart */
export function rideCursorOf(key: RideKey): string {
  return encode([VERSION, 'ride', key.scannedAt, key.deviceId, key.eventId]);
}

export function dayCursorOf(key: DayKey): string {
  return encode([VERSION, 'day', key.date, key.season, key.resortId, key.day]);
}

/** @throws Problem `bad_cursor` for anything that {@link rideCursorOf} did not make */
export function readRideCursor(cursor: string): RideKey {
  const [, , scannedAt, deviceId, eventId] = decode(rideCursor, cursor);
  return { scannedAt, deviceId, eventId };
}

/** @throws Problem `bad_cursor` for anything that {@link dayCursorOf} did not make */
export function readDayCursor(cursor: string): DayKey {
  const [, , date, season, resortId, day] = decode(dayCursor, cursor);
  return { date, season, resortId, day };
}

function encode(parts: (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decode<T>(schema: z.ZodType<T>, cursor: string): T {
  const parsed = schema.safeParse(cursor.length > MAX_CURSOR_LENGTH ? undefined : partsOf(cursor));
  if (!parsed.success) throw new Problem('bad_cursor', 'this cursor was not given by this list; start without one');
  return parsed.data;
}

/** @returns undefined for text that is no JSON in canonical base64url */
function partsOf(cursor: string): unknown {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.toString('base64url') !== cursor) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
