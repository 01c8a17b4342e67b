import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPEN_DEVICE_ID } from '../../src/domain/scan.ts';
import { startEdge, type TestEdge } from '../support/edge.ts';

let keyed: TestEdge;
let open: TestEdge;

beforeAll(async () => {
  [keyed, open] = await Promise.all([startEdge(), startEdge({ skiDataApi: 'open' })]);
});

afterAll(async () => {
  await Promise.all([keyed.stop(), open.stop()]);
});

let skiers = 0;
const newPath = (o: { resort?: number; season?: number; day?: number; skier?: number } = {}) =>
  `/skiers/${o.resort ?? 1}/seasons/${o.season ?? 2025}/days/${o.day ?? 1}/skiers/${o.skier ?? ++skiers}`;

/** Posts it without credentials to the open edge, and expects 201; @returns what the lanes hold of this skier */
async function written(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await open.post(path, body, { authorization: '', ...headers });
  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toBe('application/json');
  const skierId = Number(path.split('/').at(-1));
  return (await open.queued()).filter((scan) => scan.skierId === skierId);
}

describe('POST /skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}', () => {
  test('the ride is in its lane under the season and day it was posted for, when the 201 comes', async () => {
    expect(await written('/skiers/1/seasons/2025/days/3/skiers/77', { time: 217, liftID: 21 })).toEqual([
      {
        eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        skierId: 77,
        resortId: 1,
        liftId: 21,
        // resort 1 opens at 08:30 in Vienna; its season 2025 starts on November 1
        scannedAt: Date.parse('2025-11-03T12:07:00+01:00'),
        season: 2025,
        day: 3,
        date: '2025-11-03',
        hour: 12,
        verticalM: 210,
        deviceId: OPEN_DEVICE_ID,
      },
    ]);
  });

  test.each([
    [1990, 1],
    [2022, 1],
    [2025, 366],
    [2100, 366],
  ])('season %i, day %i: however old or far ahead', async (season, day) => {
    expect(await written(newPath({ season, day }), { time: 0, liftID: 1 })).toMatchObject([{ season, day }]);
  });

  test('the last minute of a day keeps its day', async () => {
    expect(await written(newPath({ day: 9 }), { time: 1439, liftID: 40 })).toMatchObject([
      { day: 9, date: '2025-11-09' },
    ]);
  });

  test('a client of version 1.16, and one that repeats the ids in the body: the URL wins', async () => {
    const path = newPath();
    const body = { time: 1, liftID: 2, waitTime: 3, resortID: 9, skierID: 8, seasonID: '1999', dayID: '7' };
    expect(await written(path, body)).toMatchObject([{ resortId: 1, liftId: 2, season: 2025, day: 1 }]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json'])(
    'a client that calls its JSON %s',
    async (contentType) => {
      const queued = await written(newPath(), { time: 1, liftID: 2 }, { 'content-type': contentType });
      expect(queued).toHaveLength(1);
    },
  );

  test('a base URL that ends in a slash', async () => {
    expect(await written(`/${newPath()}`, { time: 1, liftID: 2 })).toHaveLength(1);
  });

  test('the same post is the same ride; any other field makes another one', async () => {
    const path = newPath({ skier: 5_001 });
    const ride = { time: 5, liftID: 6 };
    await written(path, ride);
    await written(path, ride);
    expect(new Set((await written(path, ride)).map(({ eventId }) => eventId)).size).toBe(1);
    await written(path, { ...ride, time: 6 });
    await written(path, { ...ride, liftID: 7 });
    await written(newPath({ skier: 5_001, day: 2 }), ride);
    await written(newPath({ skier: 5_001, season: 2024 }), ride);
    const all = await written(newPath({ skier: 5_001, resort: 2 }), ride);
    expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(6);
  });

  test('an Idempotency-Key of its own makes an equal ride another one, and a retry with it the same', async () => {
    const path = newPath({ skier: 5_002 });
    const ride = { time: 5, liftID: 6 };
    await written(path, ride);
    await written(path, ride, { 'idempotency-key': 'a' });
    await written(path, ride, { 'idempotency-key': 'a' });
    const all = await written(path, ride, { 'idempotency-key': 'b' });
    expect(all).toHaveLength(4);
    expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(3);
  });

  test('open: a device that has a key is that device, anyone else is device 0', async () => {
    const withKey = await written(newPath(), { time: 1, liftID: 1 }, { authorization: `Bearer ${open.device.key}` });
    expect(withKey).toMatchObject([{ deviceId: open.device.deviceId }]);
    const unknown = await written(newPath(), { time: 1, liftID: 1 }, { authorization: 'Bearer something' });
    expect(unknown).toMatchObject([{ deviceId: OPEN_DEVICE_ID }]);
  });

  test('with keys: a key is needed, and says which device it is', async () => {
    const ride = { time: 1, liftID: 1 };
    expect((await keyed.post(newPath(), ride, { authorization: '' })).status).toBe(401);
    expect((await keyed.post(newPath(), ride)).status).toBe(201);
    expect(await keyed.queued()).toMatchObject([{ deviceId: keyed.device.deviceId }]);
  });
});
