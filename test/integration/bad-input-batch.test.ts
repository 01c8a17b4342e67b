import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ackOf, goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { problemOf } from '../support/replies.ts';

const BATCH = '/v1/scans/batch';
const NDJSON = { 'content-type': 'application/x-ndjson' };
const GZIP = { 'content-encoding': 'gzip' };

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(async () => {
  await edge.stop();
});

const scans = (count: number) => Array.from({ length: count }, () => goodScan());
const lines = (...all: unknown[]) =>
  all.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');

/** Posts it, and expects that the lanes hold what they held. */
async function refusal(body: unknown, headers?: Record<string, string>): Promise<[number, string]> {
  const before = (await edge.queued()).length;
  const problem = await problemOf(await edge.post(BATCH, body, headers));
  expect(await edge.queued()).toHaveLength(before);
  return problem;
}

describe('a batch is refused as a whole, and nothing of it stored, when it is', () => {
  test.each([
    ['not JSON', '{"scans": ['],
    ['an array without its object', [goodScan()]],
    ['an object without scans', { rides: [] }],
    ['scans that are no list', { scans: goodScan() }],
    ['null', null],
    ['empty', ''],
  ])('%s', async (_what, body) => {
    expect(await refusal(body)).toEqual([400, 'malformed']);
  });

  test('without scans', async () => {
    expect(await refusal({ scans: [] })).toEqual([400, 'malformed']);
    expect(await refusal('\n\n', NDJSON)).toEqual([400, 'malformed']);
  });

  test('of more than 1,000 scans', async () => {
    expect(await refusal({ scans: scans(1_001) })).toEqual([413, 'too_large']);
    expect(await refusal(lines(...scans(1_001)), NDJSON)).toEqual([413, 'too_large']);
  });

  test('without one readable scan', async () => {
    expect(await refusal({ scans: [null, 1, 'x', {}, []] })).toEqual([400, 'malformed']);
    expect(await refusal(lines('hello', '{', '[1,2]'), NDJSON)).toEqual([400, 'malformed']);
  });

  test.each(['text/plain', 'text/csv', 'application/json; charset=latin1', ''])(
    'of the content type "%s"',
    async (contentType) => {
      expect(await refusal({ scans: scans(1) }, { 'content-type': contentType })).toEqual([
        415,
        'unsupported_media_type',
      ]);
    },
  );

  test('in another encoding than gzip', async () => {
    expect(await refusal({ scans: scans(1) }, { 'content-encoding': 'br' })).toEqual([415, 'unsupported_media_type']);
  });

  test('over 1 MB', async () => {
    expect(await refusal({ scans: scans(1), note: 'x'.repeat(1024 * 1024) })).toEqual([413, 'too_large']);
  });

  test('a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 0x20));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    const before = process.memoryUsage().rss;
    expect(await refusal(bomb, GZIP)).toEqual([413, 'too_large']);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('said to be gzip, and is not', async () => {
    expect(await refusal({ scans: scans(1) }, GZIP)).toEqual([400, 'malformed']);
  });

  test('gzip that breaks off', async () => {
    const whole = gzipSync(JSON.stringify({ scans: scans(20) }));
    expect(await refusal(whole.subarray(0, whole.length - 20), GZIP)).toEqual([400, 'malformed']);
  });
});

describe('a bad scan in a batch gets its own error, and its neighbours are stored', () => {
  test.each([
    ['malformed', null],
    ['malformed', { skierId: 'x' }],
    ['malformed', goodScan({ scannedAt: 7 })],
    ['invalid', goodScan({ skierId: 0 })],
    ['invalid', goodScan({ liftId: 2.5 })],
    ['invalid', goodScan({ scannedAt: '2025-02-30T10:00:00Z' })],
    ['invalid', goodScan({ scannedAt: '2025-12-27T10:00:00' })],
    ['invalid', goodScan({ eventId: 'x\u0000' })],
    ['unknown_resort', goodScan({ resortId: 77 })],
    ['unknown_lift', goodScan({ liftId: 77 })],
    ['too_far_ahead', goodScan({ scannedAt: '2090-01-01T00:00:00Z' })],
    ['too_old', goodScan({ scannedAt: '2001-01-01T00:00:00Z' })],
  ])('%s: %j', async (code, bad) => {
    const [first, last] = [goodScan({ skierId: 1 }), goodScan({ skierId: 2 })];
    const before = (await edge.queued()).length;
    const response = await edge.post(BATCH, { scans: [first, bad, last] });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      results: [
        ackOf(first.eventId),
        {
          eventId: expect.toSatisfy(isIdOrNull),
          status: 'rejected',
          error: { code, detail: expect.stringMatching(/./) },
        },
        ackOf(last.eventId),
      ],
    });
    const queued = await edge.queued();
    expect(queued).toHaveLength(before + 2);
    expect(queued.map(({ eventId }) => eventId)).toEqual(expect.arrayContaining([first.eventId, last.eventId]));
  });

  test('a line of NDJSON that is not JSON', async () => {
    const [first, last] = [goodScan(), goodScan()];
    const response = await edge.post(BATCH, lines(first, '{"eventId":', last), NDJSON);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      results: [
        ackOf(first.eventId),
        { eventId: null, status: 'rejected', error: { code: 'malformed' } },
        ackOf(last.eventId),
      ],
    });
  });

  test('a batch of nothing but impossible scans is answered scan by scan', async () => {
    const before = (await edge.queued()).length;
    const response = await edge.post(BATCH, { scans: [goodScan({ liftId: 77 }), goodScan({ resortId: 77 })] });
    expect(response.status).toBe(202);
    const { results } = (await response.json()) as { results: { status: string }[] };
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await edge.queued()).toHaveLength(before);
  });
});

function isIdOrNull(value: unknown): boolean {
  return value === null || (typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value));
}
