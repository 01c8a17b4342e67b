import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEventStream } from '../support/event-stream.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { DEVICE_KEY } from '../support/two-nodes.ts';

const APP = 'https://app.resort.example';
const SKIER = 70_201;
const RIDES = `/v1/skiers/${SKIER}/rides`;
const ALLOWED = 'access-control-allow-origin';

const preflight = (origin: string, method = 'GET') => ({
  headers: {
    origin,
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,if-none-match',
  },
  init: { method: 'OPTIONS' },
});
/** All that a reply says to a browser about other origins, but for `Vary`. */
const said = (response: Response) => [...response.headers.keys()].filter((name) => name.startsWith('access-control-'));
const listOf = (response: Response, name: string) => response.headers.get(name)?.toLowerCase().split(/, ?/);

describe('pages of the origins that are set', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide({ corsOrigins: [APP, 'http://localhost:5173'], cacheBytes: 1_000_000 });
  });
  afterAll(() => side.stop());

  test.each([
    RIDES,
    `/v1/skiers/${SKIER}/days`,
    `/v1/skiers/${SKIER}/days/2025-12-20`,
    `/v1/skiers/${SKIER}/seasons`,
    '/v1/resorts',
    '/v1/resorts/1',
    '/v1/resorts/1/days/2025-12-20',
    '/skiers/1/seasons/2025/days/1/skiers/1',
    '/skiers/1/vertical?resort=1',
    '/resorts',
    '/resorts/1/seasons',
    '/statistics',
  ])('may read %s, after a preflight that needs no credentials', async (path) => {
    const { headers, init } = preflight(APP);
    const before = await side.get(path, headers, init);
    expect(before.status).toBe(204);
    expect(before.headers.get(ALLOWED)).toBe(APP);
    expect(listOf(before, 'access-control-allow-methods')).toEqual(['get', 'head']);
    expect(listOf(before, 'access-control-allow-headers')).toEqual(
      expect.arrayContaining(['authorization', 'if-none-match']),
    );
    expect(before.headers.get('access-control-max-age')).toBe('600');
    const response = await side.get(path, { origin: APP });
    expect(response.headers.get(ALLOWED)).toBe(APP);
  });

  test('see what they need of an answer, and no cookies are ever asked for', async () => {
    const authorization = `Bearer ${await side.token(SKIER)}`;
    const response = await side.get(RIDES, { origin: APP, authorization });
    expect(response.status).toBe(200);
    const shown = listOf(response, 'access-control-expose-headers');
    for (const name of ['etag', 'retry-after', 'x-request-id', 'liftline-as-of']) expect(shown).toContain(name);
    expect(listOf(response, 'vary')).toContain('origin');
    for (const reply of [response, await side.get(RIDES, preflight(APP).headers, { method: 'OPTIONS' })]) {
      expect(reply.headers.has('access-control-allow-credentials')).toBe(false);
    }
  });

  test('see the same of an answer that was kept, and of a 304, whichever origin asked first', async () => {
    const authorization = `Bearer ${await side.token(SKIER)}`;
    const first = await side.get(`${RIDES}?limit=7`, { authorization });
    expect(first.headers.has(ALLOWED)).toBe(false);
    const etag = first.headers.get('etag') ?? '';
    const kept = await side.get(`${RIDES}?limit=7`, { origin: APP, authorization });
    expect([kept.status, kept.headers.get(ALLOWED), kept.headers.get('etag')]).toEqual([200, APP, etag]);
    const same = await side.get(`${RIDES}?limit=7`, { origin: APP, authorization, 'if-none-match': etag });
    expect([same.status, same.headers.get(ALLOWED)]).toEqual([304, APP]);
    expect(listOf(same, 'vary')).toEqual(expect.arrayContaining(['authorization', 'origin']));
  });

  test('see why they are refused', async () => {
    for (const path of [RIDES, '/skiers/1/vertical?resort=1']) {
      const response = await side.get(path, { origin: APP });
      expect([response.status, response.headers.get(ALLOWED)]).toEqual([401, APP]);
    }
    const unknown = await side.get('/v1/resorts/999', { origin: 'http://localhost:5173' });
    expect([unknown.status, unknown.headers.get(ALLOWED)]).toEqual([404, 'http://localhost:5173']);
  });

  test.each([`${APP}.evil.example`, 'http://app.resort.example', `${APP}:8443`, 'https://evil.example', 'null'])(
    'an origin like %s may not',
    async (origin) => {
      const { headers, init } = preflight(origin);
      expect((await side.get(RIDES, headers, init)).headers.has(ALLOWED)).toBe(false);
      const response = await side.get('/v1/resorts', { origin });
      expect([response.status, response.headers.has(ALLOWED)]).toEqual([200, false]);
      expect(listOf(response, 'vary')).toContain('origin');
    },
  );

  test('only read: what is posted on the same path is none of theirs', async () => {
    const response = await side.get('/resorts/1/seasons', { origin: APP }, { method: 'POST', body: '{"year":"2026"}' });
    expect([response.status, said(response)]).toEqual([404, []]);
  });

  test('nothing but the API: probes, metrics and documentation say nothing', async () => {
    for (const path of ['/healthz', '/metrics', '/openapi.json', '/docs']) {
      expect([path, said(await side.get(path, { origin: APP }))]).toEqual([path, []]);
    }
  });
});

test('with * every page may, without credentials of the browser’s', async () => {
  const side = await startReadSide({ corsOrigins: ['*'] });
  const response = await side.get(RIDES, { origin: 'https://any.example', authorization: `Bearer ${DEVICE_KEY}` });
  expect([response.status, response.headers.get(ALLOWED)]).toEqual([403, '*']);
  expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  await side.stop();
});

test('a page may listen to a skier’s rides', async () => {
  const side = await startReadSide({ corsOrigins: [APP], listen: true });
  const live = `/v1/skiers/${SKIER}/live`;
  const { headers, init } = preflight(APP);
  expect((await side.get(live, headers, init)).headers.get(ALLOWED)).toBe(APP);
  const stream = await openEventStream(`${side.url}${live}`, {
    origin: APP,
    authorization: `Bearer ${await side.token(SKIER)}`,
  });
  expect([stream.status, stream.headers[ALLOWED]]).toEqual([200, APP]);
  stream.close();
  await side.stop();
});

test('without the setting no page of another origin may read', async () => {
  const side = await startReadSide();
  const { headers, init } = preflight(APP);
  expect(said(await side.get(RIDES, headers, init))).toEqual([]);
  expect(said(await side.get('/v1/resorts', { origin: APP }))).toEqual([]);
  await side.stop();
});
