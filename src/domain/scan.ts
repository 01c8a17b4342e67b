import { createHash } from 'node:crypto';

/**
 * One reading of a pass at a gate, complete: the edge has resolved the resort's calendar and the lift, so that whoever
 * stores it needs to know nothing but where the skier's shard lives.
 */
export interface Scan {
  /** UUID in lower case, made by the device or derived by {@link deriveEventId} */
  eventId: string;
  /** 1 to 2147483647 */
  skierId: number;
  /** 1 to 2147483647 */
  resortId: number;
  /** 1 to 2147483647 */
  liftId: number;
  /** milliseconds since the Unix epoch */
  scannedAt: number;
  /** the season's year, 1990 to 2100; its label is the same number as text */
  season: number;
  /** day of the season, 1 to 366 */
  day: number;
  /** the resort's local date of that day, YYYY-MM-DD */
  date: string;
  /** the resort's local hour, 0 to 23 */
  hour: number;
  /** metres, as the lift had them when the scan was accepted; 0 to 10000 */
  verticalM: number;
  /** the gate, from its credential; 0 is the open SkiDataAPI */
  deviceId: number;
}

/** A scan with no time of its own is at most this far ahead of the server's clock. */
export const MAX_AHEAD_MS = 5 * 60_000;

/** The device of posts that came without a key on an open SkiDataAPI. */
export const OPEN_DEVICE_ID = 0;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * An event id for a scan that came without one, the same for the same fields, so that a retry is the same scan.
 * RFC 9562 version 8: the first 122 free bits of SHA-256 over the fields, joined by a unit separator.
 *
 * @param fields every field that tells two scans apart, in a fixed order
 * @returns a UUID in lower case
 */
export function deriveEventId(...fields: (string | number)[]): string {
  const bytes = createHash('sha256').update(fields.join('\u001f')).digest();
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
