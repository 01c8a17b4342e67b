import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type TestEdge } from '../support/edge.ts';
import { messageStatus } from '../support/replies.ts';

const RIDE = { time: 217, liftID: 21 };

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ skiDataApi: 'open' });
});

afterAll(async () => {
  await edge.stop();
});

/** Posts it, and expects that the lanes are as empty as before. */
async function refusal(url: string, body: unknown, headers?: Record<string, string>): Promise<number> {
  const status = await messageStatus(await edge.post(url, body, headers));
  expect(await edge.queued()).toEqual([]);
  return status;
}

type Part = string | number;
const path = (o: { resort?: Part; season?: Part; day?: Part; skier?: Part } = {}) =>
  `/skiers/${o.resort ?? 1}/seasons/${o.season ?? 2025}/days/${o.day ?? 1}/skiers/${o.skier ?? 4711}`;

describe('the SkiDataAPI refuses with a message, and stores nothing of', () => {
  test.each([0, 367, -1, 1.5, '1e2', 'x', '%20', '%00'])('day %s', async (day) => {
    expect(await refusal(path({ day }), RIDE)).toBe(400);
  });

  test.each([1989, 2101, 'winter', '2025a', '%00'])('season %s', async (season) => {
    expect(await refusal(path({ season }), RIDE)).toBe(400);
  });

  test.each([0, -1, 2_147_483_648, '99999999999', 'x', '1.5', '%00'])('skier %s', async (skier) => {
    expect(await refusal(path({ skier }), RIDE)).toBe(400);
  });

  test.each([0, -1, 'x'])('resort %s', async (resort) => {
    expect(await refusal(path({ resort }), RIDE)).toBe(400);
  });

  test('an unknown resort', async () => {
    expect(await refusal(path({ resort: 99 }), RIDE)).toBe(404);
  });

  test('an unknown lift', async () => {
    expect(await refusal(path(), { time: 1, liftID: 41 })).toBe(404);
  });

  test.each([-1, 1440, 1.5, '217', null])('time %j', async (time) => {
    expect(await refusal(path(), { time, liftID: 1 })).toBe(400);
  });

  test.each([0, -1, 1.5, '21', null, 2_147_483_648])('liftID %j', async (liftID) => {
    expect(await refusal(path(), { time: 1, liftID })).toBe(400);
  });

  test.each([
    ['not JSON', '{"time": 1'],
    ['empty', ''],
    ['a list', [RIDE]],
    ['null', null],
    ['without time', { liftID: 1 }],
    ['without liftID', { time: 1 }],
  ])('a body that is %s', async (_what, body) => {
    expect(await refusal(path(), body)).toBe(400);
  });

  test('a body over 16 KB', async () => {
    expect(await refusal(path(), { ...RIDE, note: 'x'.repeat(16 * 1024) })).toBe(413);
  });

  test('an Idempotency-Key of more than 255 characters', async () => {
    expect(await refusal(path(), RIDE, { 'idempotency-key': 'x'.repeat(256) })).toBe(400);
  });
});
