import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type ReadSide, startReadSide } from '../support/read-side.ts';
import { problemOf } from '../support/replies.ts';

const RIDES = '/v1/skiers/70201/rides';
const DAYS = '/v1/skiers/70201/days';
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('bad input of the read side', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide();
  });
  afterAll(() => side.stop());

  test.each([
    ['a limit of 0', `${RIDES}?limit=0`, 422, 'invalid'],
    ['a limit past 200', `${RIDES}?limit=201`, 422, 'invalid'],
    ['a limit that is no number', `${RIDES}?limit=abc`, 400, 'malformed'],
    ['an empty limit', `${RIDES}?limit=`, 400, 'malformed'],
    ['two limits', `${RIDES}?limit=1&limit=2`, 400, 'malformed'],
    ['a resort that is no number', `${RIDES}?resort=abc`, 400, 'malformed'],
    ['a resort with a NUL character', `${RIDES}?resort=1%00`, 400, 'malformed'],
    ['a resort that is not there', `${RIDES}?resort=4242`, 422, 'unknown_resort'],
    ['a resort out of range', `${DAYS}?resort=0`, 422, 'invalid'],
    ['a season that is no year', `${DAYS}?season=next`, 400, 'malformed'],
    ['a season out of range', `${RIDES}?season=1800`, 422, 'invalid'],
    ['Feb 30', `${RIDES}?from=2025-02-30`, 422, 'invalid'],
    ['a date that is none', `${RIDES}?to=tomorrow`, 400, 'malformed'],
    ['a range the wrong way round', `${RIDES}?from=2025-02-02&to=2025-02-01`, 422, 'invalid'],
    ['a cursor that is none', `${RIDES}?cursor=abc`, 400, 'bad_cursor'],
    ['an empty cursor', `${RIDES}?cursor=`, 400, 'bad_cursor'],
    [
      'a cursor of the other list',
      `${RIDES}?cursor=${encode([1, 'day', '2025-01-01', 2025, 1, 1])}`,
      400,
      'bad_cursor',
    ],
    [
      'a cursor of another version',
      `${DAYS}?cursor=${encode([9, 'day', '2025-01-01', 2025, 1, 1])}`,
      400,
      'bad_cursor',
    ],
    [
      'a cursor with SQL in it',
      `${RIDES}?cursor=${encode([1, 'ride', 1, 1, "'; drop table scans"])}`,
      400,
      'bad_cursor',
    ],
    ['a cursor with a NUL character', `${RIDES}?cursor=%00`, 400, 'bad_cursor'],
    ['a skier that is no number', '/v1/skiers/me/rides', 400, 'malformed'],
    ['a skier of 0', '/v1/skiers/0/rides', 422, 'invalid'],
    ['a skier past 32 bits', '/v1/skiers/2147483648/days', 422, 'invalid'],
    ['a day that no calendar has', '/v1/skiers/70201/days/2025-02-30', 422, 'invalid'],
    ['a day that is none', '/v1/skiers/70201/days/today', 400, 'malformed'],
    ['a resort’s day that no calendar has', '/v1/resorts/1/days/2023-02-29', 422, 'invalid'],
    ['a resort by name', '/v1/resorts/zermatt', 400, 'malformed'],
    ['an unknown resort', '/v1/resorts/4242', 404, 'not_found'],
    ['a day of an unknown resort', '/v1/resorts/4242/days/2025-01-01', 404, 'not_found'],
    ['an unknown path', '/v1/skiers/70201/friends', 404, 'not_found'],
  ])('%s', async (_what, path, status, code) => {
    const response = await side.get(path, { authorization: `Bearer ${ADMIN_KEY}` });
    expect(await problemOf(response)).toEqual([status, code]);
  });

  test('cursors at the ends of time are taken and find nothing', async () => {
    for (const scannedAt of [0, Date.UTC(1900, 0, 1), Date.UTC(2200, 0, 1)]) {
      const cursor = encode([1, 'ride', scannedAt, 0, '00000000-0000-0000-0000-000000000000']);
      const response = await side.get(`${RIDES}?cursor=${cursor}`, { authorization: `Bearer ${ADMIN_KEY}` });
      expect([scannedAt, response.status]).toEqual([scannedAt, 200]);
    }
  });
});
