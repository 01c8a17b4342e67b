import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLiftlineClient, type LiftlineClient } from '../../src/client/client.ts';
import { type AllInOne, startAllInOne } from '../support/all-in-one.ts';
import { scanNo } from '../support/nodes.ts';
import { until } from '../support/until.ts';

const SKIER = 4_711;
const RESORT = 1;

interface Operation {
  responses: Record<string, { content?: Record<string, unknown> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

let all: AllInOne;
let device: LiftlineClient;
let skier: LiftlineClient;
let operator: LiftlineClient;
let visitor: LiftlineClient;
/** `GET /v1/resorts`, of every call that was answered as it should */
const called = new Set<string>();
/** of a ride that is stored: the tests of reads begin with it */
let receipt: string;
let date: string;
let season: string;
let day: number;

/** A client whose calls are noted. */
function clientOf(credential?: () => string | Promise<string>): LiftlineClient {
  const client = createLiftlineClient({ baseUrl: all.url, ...(credential && { credential }) });
  client.use({
    onResponse({ schemaPath, request, response }) {
      if (response.ok) called.add(`${request.method} ${schemaPath}`);
    },
  });
  return client;
}

/** @returns what a call gave; @throws with the problem when it gave none */
function given<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  if (error !== undefined || data === undefined) throw new Error(`${response.status} ${JSON.stringify(error)}`);
  return data;
}

const newScan = () => ({ resortId: RESORT, liftId: 3, skierId: SKIER, scannedAt: new Date().toISOString() });

beforeAll(async () => {
  all = await startAllInOne();
  device = clientOf(() => all.device.key);
  skier = clientOf(() => all.token(SKIER));
  operator = clientOf(() => all.adminKey);
  visitor = clientOf();
  ({ receipt } = given(await device.POST('/v1/scans', { body: newScan() })));
  await until('the scan is stored', async () => {
    const fate = given(await device.GET('/v1/receipts/{receipt}', { params: { path: { receipt } } }));
    return fate.status === 'persisted';
  });
  const [ride] = given(await skier.GET('/v1/skiers/{skierId}/rides', ofSkier)).rides;
  ({ date = '', season = '', day = 0 } = ride ?? {});
}, 60_000);
afterAll(() => all.stop());

const ofSkier = { params: { path: { skierId: SKIER } } };

describe('a device', () => {
  test('posts a batch, and sees what became of each scan', async () => {
    const scans = [newScan(), { ...newScan(), liftId: 4_000 }];
    const { results } = given(await device.POST('/v1/scans/batch', { body: { scans } }));
    expect(results.map(({ status, error }) => [status, error?.code])).toEqual([
      ['accepted', undefined],
      ['rejected', 'unknown_lift'],
    ]);
  });

  test('is told what is wrong with a scan', async () => {
    const { error, response } = await device.POST('/v1/scans', { body: { ...newScan(), resortId: 99 } });
    expect(response.status).toBe(422);
    expect(error?.code).toBe('unknown_resort');
  });

  test('posts a lift ride of the SkiDataAPI', async () => {
    const path = { resortID: RESORT, seasonID: season, dayID: String(day), skierID: SKIER };
    const { status } = given(
      await device.POST('/skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}', {
        params: { path },
        body: { time: 217, liftID: 21 },
      }),
    );
    expect(status).toBe('accepted');
  });
});

describe('a skier', () => {
  test('reads rides, filtered and by the page, once a scan is in them', async () => {
    const query = { resort: [RESORT, 2], season: [Number(season)], from: date, to: date, limit: 1, after: receipt };
    const page = given(await skier.GET('/v1/skiers/{skierId}/rides', { params: { path: { skierId: SKIER }, query } }));
    expect(page.rides).toHaveLength(1);
    expect(page.rides[0]).toMatchObject({ resortId: RESORT, season, day, date });
  });

  test('reads what is new since a page', async () => {
    const { changesToken } = given(await skier.GET('/v1/skiers/{skierId}/rides', ofSkier));
    const ack = given(await device.POST('/v1/scans', { body: { ...newScan(), liftId: 5 } }));
    const query = { changedSince: changesToken ?? '', after: ack.receipt };
    const page = given(await skier.GET('/v1/skiers/{skierId}/rides', { params: { path: { skierId: SKIER }, query } }));
    expect(page.rides.map(({ eventId }) => eventId)).toContain(ack.eventId);
  });

  test('reads days, one day and seasons', async () => {
    const { days } = given(await skier.GET('/v1/skiers/{skierId}/days', ofSkier));
    expect(days[0]).toMatchObject({ resortId: RESORT, date });
    const path = { skierId: SKIER, date };
    const oneDay = given(await skier.GET('/v1/skiers/{skierId}/days/{date}', { params: { path } }));
    expect(oneDay.days[0]?.lifts.map(({ liftId }) => liftId)).toContain(3);
    const { seasons } = given(await skier.GET('/v1/skiers/{skierId}/seasons', ofSkier));
    expect(seasons[0]).toMatchObject({ season, days: 1 });
  });

  test('reads nobody else’s', async () => {
    const path = { skierId: SKIER + 1 };
    const { error, data } = await skier.GET('/v1/skiers/{skierId}/rides', { params: { path } });
    expect([error?.code, data]).toEqual(['not_found', undefined]);
  });

  test('reads their vertical by the SkiDataAPI', async () => {
    const path = { resortID: RESORT, seasonID: season, dayID: String(day), skierID: SKIER };
    const route = '/skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}';
    expect(given(await skier.GET(route, { params: { path } }))).toBeGreaterThan(0);
    const { resorts } = given(
      await skier.GET('/skiers/{skierID}/vertical', {
        params: { path: { skierID: SKIER }, query: { resort: [String(RESORT)] } },
      }),
    );
    expect(resorts[0]?.seasonID).toBe(season);
    const nobody = await skier.GET('/skiers/{skierID}/vertical', {
      params: { path: { skierID: SKIER }, query: { resort: ['99'] } },
    });
    expect(nobody.error?.message).toMatch(/resort 99/);
  });
});

describe('everyone', () => {
  test('reads resorts and their days', async () => {
    const { resorts } = given(await visitor.GET('/v1/resorts'));
    expect(resorts.map(({ resortId }) => resortId)).toContain(RESORT);
    const resort = given(await visitor.GET('/v1/resorts/{resortId}', { params: { path: { resortId: RESORT } } }));
    expect(resort.lifts.length).toBeGreaterThan(10);
    const path = { resortId: RESORT, date };
    const sums = given(await visitor.GET('/v1/resorts/{resortId}/days/{date}', { params: { path } }));
    expect(sums).toMatchObject({ skiers: 1, season });
  });

  test('reads the same by the SkiDataAPI', async () => {
    expect(given(await visitor.GET('/resorts')).resorts[0]?.resortID).toBeTypeOf('number');
    const path = { resortID: RESORT, seasonID: season, dayID: String(day) };
    const route = '/resorts/{resortID}/seasons/{seasonID}/day/{dayID}/skiers';
    expect(given(await visitor.GET(route, { params: { path } })).numSkiers).toBe(1);
    const { seasons } = given(await visitor.GET('/resorts/{resortID}/seasons', { params: { path } }));
    expect(seasons).toContain(season);
    const { endpointStats } = given(await visitor.GET('/statistics'));
    expect(endpointStats[0]?.mean).toBeTypeOf('number');
  });
});

describe('an operator', () => {
  test('adds a device, rotates its key, revokes one key and all of them', async () => {
    const { name, keyId } = given(await operator.POST('/ops/devices', { body: { name: 'gate 2' } }));
    const params = { path: { name } };
    given(await operator.POST('/ops/devices/{name}/rotate', { params }));
    const revoked = await operator.POST('/ops/keys/{keyId}/revoke', { params: { path: { keyId } } });
    expect(revoked.response.status).toBe(204);
    expect(given(await operator.POST('/ops/devices/{name}/revoke', { params })).revokedKeyIds).toHaveLength(1);
    const { devices } = given(await operator.GET('/ops/devices'));
    expect(devices.find((found) => found.name === name)?.keys).toHaveLength(2);
  });

  test('declares a season', async () => {
    const { resorts } = given(await operator.GET('/ops/resorts'));
    expect(resorts.map(({ resortId }) => resortId)).toContain(RESORT);
    const { response } = await operator.POST('/resorts/{resortID}/seasons', {
      params: { path: { resortID: RESORT } },
      body: { year: '2030' },
    });
    expect(response.status).toBe(201);
  });

  test('lists dead letters, looks at one, sends it again and discards it', async () => {
    const firstDead = () =>
      until('the scan is dead', async () => given(await operator.GET('/ops/dead')).deadLetters.at(0));
    await all.site.send([scanNo(1, { day: 367 })]);
    const params = { path: { deadLetterId: (await firstDead()).deadLetterId } };
    expect(given(await operator.GET('/ops/dead/{deadLetterId}', { params })).code).toBe('23514');
    expect((await operator.POST('/ops/dead/{deadLetterId}/replay', { params })).response.status).toBe(202);
    const gone = { params: { path: { deadLetterId: (await firstDead()).deadLetterId } } };
    expect((await operator.POST('/ops/dead/{deadLetterId}/discard', gone)).response.status).toBe(204);
  });

  test('looks at the pipeline', async () => {
    expect(given(await operator.GET('/ops/status')).lanes).toHaveLength(2);
    expect(given(await operator.GET('/ops/autoscale')).workers).toBeTypeOf('number');
  });
});

/** Streams and pages are not for this client: a route belongs here when its success is JSON, or has no body. */
function isForClient({ responses }: Operation): boolean {
  const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  return successes.some(([, { content }]) => content === undefined || 'application/json' in content);
}

test('every route of /openapi.json was called through the client, and answered', async () => {
  const { paths } = (await (await fetch(`${all.url}/openapi.json`)).json()) as Document;
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      isForClient(operation) ? [`${method.toUpperCase()} ${path}`] : [],
    ),
  );
  expect(routes.length).toBeGreaterThan(25);
  expect(routes.filter((route) => !called.has(route))).toEqual([]);
});
