import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { ackOf, goodScan, startEdge, type TestEdge } from '../support/edge.ts';

const BATCH = '/v1/scans/batch';
const NDJSON = { 'content-type': 'application/x-ndjson' };

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(async () => {
  await edge.stop();
});

const scans = (count: number) => Array.from({ length: count }, (_, i) => goodScan({ skierId: i + 1 }));

interface Results {
  results: { eventId: string; status: string }[];
}

/** Posts it, and expects that each of the scans is accepted, in order, and in the lanes. */
async function accepted(posted: Record<string, unknown>[], body: unknown, headers?: Record<string, string>) {
  const response = await edge.post(BATCH, body, headers);
  expect(response.status).toBe(202);
  const { results } = (await response.json()) as Results;
  expect(results).toEqual(posted.map(({ eventId }) => ackOf(eventId)));
  const queued = new Set((await edge.queued()).map(({ eventId }) => eventId));
  return posted.filter(({ eventId }) => queued.has(String(eventId))).length;
}

describe('POST /v1/scans/batch', () => {
  test('JSON', async () => {
    const posted = scans(20);
    expect(await accepted(posted, { scans: posted })).toBe(20);
  });

  test('a scan a line, with empty lines and line ends of either kind', async () => {
    const posted = scans(5);
    const body = `\n${posted.map((scan) => JSON.stringify(scan)).join('\r\n\n')}\n`;
    expect(await accepted(posted, body, NDJSON)).toBe(5);
  });

  test('gzip, of either form', async () => {
    const [json, lines] = [scans(50), scans(50)];
    const gzip = { 'content-encoding': 'gzip' };
    expect(await accepted(json, gzipSync(JSON.stringify({ scans: json })), gzip)).toBe(50);
    const body = gzipSync(lines.map((scan) => JSON.stringify(scan)).join('\n'));
    expect(await accepted(lines, body, { ...NDJSON, ...gzip })).toBe(50);
  });

  test('one scan, and 1,000 of one lane, which need two jobs', async () => {
    const one = scans(1);
    expect(await accepted(one, { scans: one })).toBe(1);
    const ofLane = Array.from({ length: 5_000 }, (_, i) => i + 1).filter((id) => laneOf(shardOf(id, 64), 4) === 1);
    const posted = ofLane.slice(0, 1_000).map((skierId) => goodScan({ skierId }));
    expect(await accepted(posted, { scans: posted })).toBe(1_000);
  });

  test('the same scan twice in a batch is accepted twice: the shard folds it', async () => {
    const [posted] = scans(1) as [Record<string, unknown>];
    expect(await accepted([posted, posted], { scans: [posted, posted] })).toBe(2);
  });
});

describe('a batch that does not fit', () => {
  test('scans that find no room are `retry` and not stored, the others are accepted', async () => {
    const small = await startEdge({ maxPendingScans: 30 });
    const posted = scans(60);
    const response = await small.post(BATCH, { scans: posted });
    expect(response.status).toBe(202);
    const { results } = (await response.json()) as Results;
    expect(results.map(({ eventId }) => eventId)).toEqual(posted.map(({ eventId }) => eventId));
    const acceptedIds = results.filter(({ status }) => status === 'accepted').map(({ eventId }) => eventId);
    const retryIds = results.filter(({ status }) => status === 'retry').map(({ eventId }) => eventId);
    expect(acceptedIds.length).toBeGreaterThan(0);
    expect(retryIds.length).toBeGreaterThan(0);
    expect(acceptedIds.length + retryIds.length).toBe(60);
    expect(results.find(({ status }) => status === 'retry')).toMatchObject({ error: { code: 'overloaded' } });
    expect((await small.queued()).map(({ eventId }) => eventId).toSorted()).toEqual(acceptedIds.toSorted());
    await small.stop();
  });

  test('when not one finds room it is 503 with Retry-After, and nothing is stored', async () => {
    const tiny = await startEdge({ maxPendingScans: 1 });
    const ofLane = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(() => goodScan({ skierId: 1 }));
    const response = await tiny.post(BATCH, { scans: ofLane });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'overloaded' });
    expect(await tiny.queued()).toEqual([]);
    expect((await tiny.post('/v1/scans', goodScan())).status).toBe(202);
    await tiny.stop();
  });
});
