import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { problemOf } from '../support/replies.ts';

const DAY_MS = 86_400_000;

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(async () => {
  await edge.stop();
});

const at = (ms: number) => new Date(Date.now() + ms).toISOString();
const without = (field: string) => {
  const scan = goodScan();
  delete scan[field];
  return scan;
};

/** Posts it, and expects that the lanes are as empty as before. */
async function refusal(body: unknown, headers?: Record<string, string>): Promise<[number, string]> {
  const problem = await problemOf(await edge.post('/v1/scans', body, headers));
  expect(await edge.queued()).toEqual([]);
  return problem;
}

describe('POST /v1/scans refuses, and stores nothing of', () => {
  test.each([
    ['what is not JSON', '{"eventId": '],
    ['an empty body', ''],
    ['NDJSON in the place of JSON', `${JSON.stringify(goodScan())}\n${JSON.stringify(goodScan())}`],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00, 0x7b])],
  ])('%s', async (_what, body) => {
    expect(await refusal(body)).toEqual([400, 'malformed']);
  });

  test.each([
    ['an array', [goodScan()]],
    ['null', null],
    ['a text', '"scan"'],
    ['a number', 17],
    ['an empty object', {}],
    ['no skierId', without('skierId')],
    ['no resortId', without('resortId')],
    ['no liftId', without('liftId')],
    ['no scannedAt', without('scannedAt')],
    ['an id as text', goodScan({ skierId: '4711' })],
    ['an id that is null', goodScan({ liftId: null })],
    ['an id that is a list', goodScan({ liftId: [12] })],
    ['a time as number', goodScan({ scannedAt: Date.now() })],
    ['an event id as number', goodScan({ eventId: 1 })],
    ['an event id that is null', goodScan({ eventId: null })],
  ])('JSON of the wrong shape: %s', async (_what, body) => {
    expect(await refusal(body)).toEqual([400, 'malformed']);
  });

  test.each([
    ['text/plain', {}],
    ['application/xml', {}],
    ['application/x-ndjson', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/json; charset=utf-16', {}],
    ['', {}],
  ])('the content type "%s"', async (contentType) => {
    expect(await refusal(goodScan(), { 'content-type': contentType })).toEqual([415, 'unsupported_media_type']);
  });

  test('an encoded body', async () => {
    expect(await refusal(goodScan(), { 'content-encoding': 'gzip' })).toEqual([415, 'unsupported_media_type']);
  });

  test('a body over 16 KB', async () => {
    expect(await refusal({ ...goodScan(), note: 'x'.repeat(16 * 1024) })).toEqual([413, 'too_large']);
  });

  test('JSON that is nested without end', async () => {
    expect(await refusal(`${'['.repeat(8_000)}${']'.repeat(8_000)}`)).toEqual([400, 'malformed']);
  });

  test('an unknown resort', async () => {
    expect(await refusal(goodScan({ resortId: 999 }))).toEqual([422, 'unknown_resort']);
  });

  test('an unknown lift', async () => {
    expect(await refusal(goodScan({ liftId: 41 }))).toEqual([422, 'unknown_lift']);
  });

  test.each(['resortId', 'liftId', 'skierId'])('%s out of range', async (field) => {
    for (const value of [0, -1, 2_147_483_648, 1e300])
      expect(await refusal(goodScan({ [field]: value }))).toEqual([422, 'invalid']);
  });

  test.each(['resortId', 'liftId', 'skierId'])('%s that is no whole number', async (field) => {
    expect(await refusal(goodScan({ [field]: 1.5 }))).toEqual([422, 'invalid']);
  });

  test.each([
    ['without offset', '2025-12-27T10:31:07'],
    ['on Feb 30', '2025-02-30T10:31:07Z'],
    ['on Feb 29 of a year without', '2025-02-29T10:31:07Z'],
    ['at hour 25', '2025-12-27T25:31:07Z'],
    ['that is only a date', '2025-12-27'],
    ['that is no time', 'yesterday'],
    ['that is empty', ''],
  ])('a time %s', async (_what, scannedAt) => {
    expect(await refusal(goodScan({ scannedAt }))).toEqual([422, 'invalid']);
  });

  test('a time more than 5 minutes ahead', async () => {
    expect(await refusal(goodScan({ scannedAt: at(5 * 60_000 + 5_000) }))).toEqual([422, 'too_far_ahead']);
    expect(await refusal(goodScan({ scannedAt: '9999-12-31T23:59:59Z' }))).toEqual([422, 'too_far_ahead']);
  });

  test('a time more than two seasons back', async () => {
    expect(await refusal(goodScan({ scannedAt: at(-3 * 366 * DAY_MS) }))).toEqual([422, 'too_old']);
    expect(await refusal(goodScan({ scannedAt: '0000-01-01T00:00:00Z' }))).toEqual([422, 'too_old']);
  });

  test('an event id that is no UUID', async () => {
    expect(await refusal(goodScan({ eventId: 'ride-1' }))).toEqual([422, 'invalid']);
  });

  test.each(['eventId', 'scannedAt'])('a NUL character in %s', async (field) => {
    expect(await refusal(goodScan({ [field]: `${String(goodScan()[field])}\u0000` }))).toEqual([422, 'invalid']);
  });

  test('a name that belongs to every object as the id of a resort', async () => {
    expect(
      await refusal('{"__proto__":{"resortId":1,"liftId":1},"skierId":1,"scannedAt":"2025-12-27T10:31:07Z"}'),
    ).toEqual([400, 'malformed']);
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'GET'])('the method %s', async (method) => {
    for (const path of ['/v1/scans', '/v1/scans/batch']) {
      const response = await fetch(`${edge.url}${path}`, { method });
      expect(response.headers.get('allow')).toBe('POST');
      expect(await problemOf(response)).toEqual([405, 'method_not_allowed']);
    }
    expect(await edge.queued()).toEqual([]);
  });
});

test('what is refused is counted by its reason', async () => {
  const counted = async () =>
    Number(/refused_total\{reason="unknown_lift"\} (\d+)/.exec(await edge.metrics())?.[1] ?? 0);
  const before = await counted();
  await edge.post('/v1/scans', goodScan({ liftId: 41 }));
  expect(await counted()).toBe(before + 1);
});
