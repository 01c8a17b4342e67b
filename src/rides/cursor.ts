import { z } from 'zod';
import { isUuid } from '../domain/scan.ts';
import { opaqueText, readOpaqueText } from './opaque-text.ts';

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

/** The place of a ride: scannedAt, deviceId, eventId. */
export const ridePlace = [timeMs, integer, z.string().refine(isUuid)] as const;
const rideCursor = z.tuple([z.literal(VERSION), z.literal('ride'), ...ridePlace]);
const dayCursor = z.tuple([z.literal(VERSION), z.literal('day'), localDate, integer, integer, integer]);

export function rideCursorOf(key: RideKey): string {
  return opaqueText([VERSION, 'ride', key.scannedAt, key.deviceId, key.eventId]);
}

export function dayCursorOf(key: DayKey): string {
  return opaqueText([VERSION, 'day', key.date, key.season, key.resortId, key.day]);
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

function decode<T>(schema: z.ZodType<T>, cursor: string): T {
  const problem = 'this cursor was not given by this list; start without one';
  return readOpaqueText(schema, cursor, { maxLength: MAX_CURSOR_LENGTH, problem });
}
