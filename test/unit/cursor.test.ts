import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import { dayCursorOf, readDayCursor, readRideCursor, rideCursorOf } from '../../src/rides/cursor.ts';

const eventId = '0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b';
const ride = { scannedAt: 1_764_000_000_123, deviceId: 7, eventId };
const day = { date: '2025-12-24', season: 2025, resortId: 3, day: 40 };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** @returns what came of reading it: the status and code of the problem, or what was thrown instead of one */
function refusalOf(read: () => unknown): unknown {
  try {
    return { taken: read() };
  } catch (error) {
    return error instanceof Problem ? `${error.status} ${error.code}` : error;
  }
}

const REFUSED = '400 bad_cursor';

describe('cursors', () => {
  test('rides: any key survives the round trip, in characters that need no escaping', () => {
    const anyKey = fc.record({
      scannedAt: fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2200, 0, 1) }),
      deviceId: fc.integer({ min: 0, max: 2_147_483_647 }),
      eventId: fc.uuid(),
    });
    fc.assert(
      fc.property(anyKey, (key) => {
        const cursor = rideCursorOf(key);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(readRideCursor(cursor)).toEqual(key);
      }),
    );
  });

  test('days: the round trip', () => {
    expect(readDayCursor(dayCursorOf(day))).toEqual(day);
  });

  test('arbitrary text is refused, and nothing but a bad cursor comes of it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(refusalOf(() => readRideCursor(text))).toBe(REFUSED);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(refusalOf(() => readDayCursor(encode(JSON.parse(json))))).toBe(REFUSED);
      }),
    );
  });

  test.each([
    ['the other list', () => readRideCursor(dayCursorOf(day))],
    ['the other list, days', () => readDayCursor(rideCursorOf(ride))],
    ['another version', () => readRideCursor(encode([2, 'ride', 1, 2, eventId]))],
    ['a part too many', () => readRideCursor(encode([1, 'ride', 1, 2, eventId, 3]))],
    ['a time no date can hold', () => readRideCursor(encode([1, 'ride', 1e300, 2, eventId]))],
    ['a time Postgres does not know', () => readRideCursor(encode([1, 'ride', -8.64e15, 2, eventId]))],
    ['the year 0', () => readDayCursor(encode([1, 'day', '0000-01-01', 2025, 3, 40]))],
    ['a fraction of a millisecond', () => readRideCursor(encode([1, 'ride', 1.5, 2, eventId]))],
    ['an id past 32 bits', () => readRideCursor(encode([1, 'ride', 1, 2_147_483_648, eventId]))],
    ['no UUID', () => readRideCursor(encode([1, 'ride', 1, 2, "' or 1=1 --"]))],
    ['a NUL character', () => readRideCursor(encode([1, 'ride', 1, 2, `${eventId}\0`]))],
    ['Feb 30', () => readDayCursor(encode([1, 'day', '2025-02-30', 2025, 3, 40]))],
    ['padding, which is not how we write it', () => readRideCursor(`${rideCursorOf(ride)}=`)],
    ['a cut-off one', () => readRideCursor(rideCursorOf(ride).slice(0, -4))],
    ['an empty one', () => readRideCursor('')],
    ['a very long one', () => readRideCursor(encode([1, 'ride', 1, 2, eventId, 'x'.repeat(100_000)]))],
  ])('%s is refused', (_what, read) => {
    expect(refusalOf(read)).toBe(REFUSED);
  });
});
