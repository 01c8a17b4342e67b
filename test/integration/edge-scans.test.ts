import { describe, expect, afterAll, beforeAll, test } from 'vitest';
import { deriveEventId } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { ackOf, goodScan, startEdge, type TestEdge } from '../support/edge.ts';

const NOW = Date.parse('2026-01-15T12:00:00Z');

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ now: () => NOW });
});

afterAll(async () => {
  await edge.stop();
});

const scan = (changes: Record<string, unknown> = {}) => goodScan({ scannedAt: '2026-01-15T11:59:50Z', ...changes });

/** Posts it, and expects that it is accepted; @returns the id in the reply, and the scan in the lanes */
async function accepted(body: unknown, headers?: Record<string, string>) {
  const response = await edge.post('/v1/scans', body, headers);
  expect(response.status).toBe(202);
  expect(response.headers.get('content-type')).toBe('application/json');
  const ack = (await response.json()) as { eventId: string };
  const { eventId } = ack;
  expect(ack).toEqual(ackOf(eventId));
  const queued = (await edge.queued()).filter((one) => one.eventId === eventId);
  return { eventId, queued };
}

describe('POST /v1/scans', () => {
  test('the scan is in its lane, with everything that the directory knows about it, when the ack comes', async () => {
    const posted = scan({ scannedAt: '2026-01-15T12:59:50.250+01:00' });
    const { eventId, queued } = await accepted(posted);
    expect(eventId).toBe(posted.eventId);
    expect(queued).toEqual([
      {
        eventId,
        skierId: 4711,
        resortId: 1,
        liftId: 12,
        scannedAt: Date.parse('2026-01-15T11:59:50.250Z'),
        season: 2025,
        day: 76,
        date: '2026-01-15',
        hour: 12,
        verticalM: 120,
        deviceId: edge.device.deviceId,
      },
    ]);
  });

  test('without an event id one is derived from the fields, so a retry is the same scan', async () => {
    const posted = scan({ eventId: undefined, skierId: 5 });
    const first = await accepted(posted);
    const second = await accepted(posted);
    expect(second.eventId).toBe(first.eventId);
    expect(first.eventId).toBe(deriveEventId(1, 12, 5, Date.parse('2026-01-15T11:59:50Z')));
    const other = await accepted({ ...posted, liftId: 13 });
    expect(other.eventId).not.toBe(first.eventId);
  });

  test('an event id in capitals is the same id', async () => {
    const posted = scan();
    const { eventId } = await accepted({ ...posted, eventId: String(posted.eventId).toUpperCase() });
    expect(eventId).toBe(posted.eventId);
  });

  test('the device comes from the key, whatever the body says; unknown fields are ignored', async () => {
    const { queued } = await accepted(scan({ deviceId: 999, season: 1999, verticalM: 9_000, note: 'x' }));
    expect(queued).toMatchObject([{ deviceId: edge.device.deviceId, season: 2025, verticalM: 120 }]);
  });

  test.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'Application/JSON'])(
    'the content type %s is JSON',
    async (contentType) => {
      expect((await accepted(scan(), { 'content-type': contentType })).queued).toHaveLength(1);
    },
  );

  test('a time up to 5 minutes ahead is taken', async () => {
    expect((await accepted(scan({ scannedAt: '2026-01-15T12:05:00Z' }))).queued).toHaveLength(1);
  });

  test('a late scan is taken from the first day of the season before the last one, and no earlier', async () => {
    // resort 1 lies in Europe/Vienna; its season 2023 starts on November 1
    const { queued } = await accepted(scan({ scannedAt: '2023-11-01T00:00:00+01:00' }));
    expect(queued).toMatchObject([{ season: 2023, day: 1, date: '2023-11-01', hour: 0 }]);
    const tooOld = await edge.post('/v1/scans', scan({ scannedAt: '2023-10-31T23:59:59.999+01:00' }));
    expect(await tooOld.json()).toMatchObject({ code: 'too_old' });
  });

  test('scans that come together share a job, each with its own answer', async () => {
    const ofOneLane = Array.from({ length: 400 }, (_, i) => i + 1).filter((id) => laneOf(shardOf(id, 64), 4) === 2);
    const replies = await Promise.all(
      ofOneLane.slice(0, 60).map((skierId) => edge.post('/v1/scans', scan({ skierId }))),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    const ids = await Promise.all(replies.map(async (reply) => ((await reply.json()) as { eventId: string }).eventId));
    expect(new Set(ids).size).toBe(60);
    const adds = Number(/adds_total\{lane="2",outcome="confirmed"\} (\d+)/.exec(await edge.metrics())?.[1]);
    expect(adds).toBeLessThan(60);
  });

  test('the metrics tell what was enqueued', async () => {
    const count = async () => {
      const lanes = (await edge.metrics()).matchAll(/liftline_edge_scans_enqueued_total\{lane="\d"\} (\d+)/g);
      return [...lanes].reduce((sum, [, scans]) => sum + Number(scans), 0);
    };
    const before = await count();
    await accepted(scan());
    expect(await count()).toBe(before + 1);
    expect(await edge.metrics()).toContain('liftline_edge_pending_scans 0');
  });
});

test('the routes stand in /openapi.json, with what they take', async () => {
  const document = (await (await fetch(`${edge.url}/openapi.json`)).json()) as {
    paths: Record<string, { post?: { requestBody?: { content: Record<string, unknown> }; responses: object } }>;
  };
  const scans = document.paths['/v1/scans']?.post;
  expect(Object.keys(scans?.requestBody?.content ?? {})).toEqual(['application/json']);
  expect(Object.keys(scans?.responses ?? {})).toEqual(expect.arrayContaining(['202', '400', '401', '422', '503']));
  const batch = document.paths['/v1/scans/batch']?.post;
  expect(Object.keys(batch?.requestBody?.content ?? {})).toEqual(['application/json', 'application/x-ndjson']);
  const ride = document.paths['/skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}']?.post;
  expect(Object.keys(ride?.responses ?? {})).toEqual(expect.arrayContaining(['201', '400', '404', '429', '503']));
});
