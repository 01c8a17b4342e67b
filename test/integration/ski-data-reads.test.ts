import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type ReadSide, startReadSide } from '../support/read-side.ts';
import { messageStatus } from '../support/replies.ts';
import { DEVICE_KEY } from '../support/two-nodes.ts';

const SKIER = 70_401;
const VERTICAL = `/skiers/${SKIER}/vertical`;
const dayPath = (o: { resort?: string; season?: string; day?: string; skier?: string } = {}) =>
  `/skiers/${o.resort ?? '1'}/seasons/${o.season ?? '2022'}/days/${o.day ?? '1'}/skiers/${o.skier ?? SKIER}`;

/** A ride as the edge makes one of a SkiDataAPI post: under the season and day of the path. */
const ride = (resortId: number, season: number, day: number, minutes: number, liftId: number, skierId = SKIER) => ({
  skierId,
  resortId,
  liftId,
  seasonDay: { season, day, minutes },
});

async function storeCourse(side: ReadSide): Promise<void> {
  await side.store([
    ride(1, 2022, 1, 10, 5),
    ride(1, 2022, 1, 20, 7),
    ride(1, 2022, 2, 10, 1),
    ride(1, 2024, 366, 0, 40),
    ride(2, 2022, 1, 10, 2),
    ...Array.from({ length: 30 }, (_, i) => ride(1, 2022, 1, i, 3, 70_410 + i)),
  ]);
}

describe('SkiDataAPI, keys needed', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide({ listen: true });
    await storeCourse(side);
  });
  afterAll(() => side.stop());

  const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` };
  test('operation 2: the day’s vertical as a bare JSON integer', async () => {
    const response = await side.get(dayPath(), asAdmin);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.text()).toBe('120');
  });

  test('operation 2: the 366th day of any season', async () => {
    expect(await (await side.get(dayPath({ season: '2024', day: '366' }), asAdmin)).text()).toBe('400');
  });

  test('operation 2: nothing stored, or an unknown resort, is a 404', async () => {
    expect(await messageStatus(await side.get(dayPath({ day: '3' }), asAdmin))).toBe(404);
    expect(await messageStatus(await side.get(dayPath({ season: '2023' }), asAdmin))).toBe(404);
    expect(await messageStatus(await side.get(dayPath({ skier: '70499' }), asAdmin))).toBe(404);
    expect(await messageStatus(await side.get(dayPath({ resort: '4242' }), asAdmin))).toBe(404);
  });

  test.each([
    dayPath({ day: '0' }),
    dayPath({ day: '367' }),
    dayPath({ day: 'first' }),
    dayPath({ season: '22' }),
    dayPath({ season: '9999' }),
    dayPath({ season: 'winter' }),
    dayPath({ resort: 'abc' }),
    dayPath({ resort: '0' }),
    dayPath({ skier: '0' }),
    dayPath({ skier: '2147483648' }),
    dayPath({ skier: '1.5' }),
  ])('operation 2: %s is a 400', async (path) => {
    expect(await messageStatus(await side.get(path, asAdmin))).toBe(400);
  });

  test('operation 3: vertical by season; resort by id or name, repeatable', async () => {
    const vertical = async (query: string) => (await side.get(`${VERTICAL}?${query}`, asAdmin)).json();
    const all = [
      { seasonID: '2024', totalVert: 400 },
      { seasonID: '2022', totalVert: 130 },
    ];
    expect(await vertical('resort=1')).toEqual({ resorts: all });
    expect(await vertical(`resort=${encodeURIComponent(side.resort(1).name)}`)).toEqual({ resorts: all });
    expect(await vertical('resort=1&season=2022')).toEqual({ resorts: all.slice(1) });
    expect(await vertical('resort=1&season=2022&season=2024')).toEqual({ resorts: all });
    const both = [all[0], { seasonID: '2022', totalVert: 150 }];
    expect(await vertical('resort=1&resort=2')).toEqual({ resorts: both });
    expect(await vertical(`resort=1&resort=${encodeURIComponent(side.resort(2).name)}&resort=1`)).toEqual({
      resorts: both,
    });
  });

  test('operation 3: no resort, or values that are none', async () => {
    expect(await messageStatus(await side.get(VERTICAL, asAdmin))).toBe(400);
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=`, asAdmin))).toBe(400);
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=1&season=abc`, asAdmin))).toBe(400);
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=1&season=`, asAdmin))).toBe(400);
    expect(await messageStatus(await side.get('/skiers/abc/vertical?resort=1', asAdmin))).toBe(400);
  });

  test('operation 3: nothing stored, or an unknown resort, is a 404', async () => {
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=5`, asAdmin))).toBe(404);
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=1&season=2023`, asAdmin))).toBe(404);
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=4242`, asAdmin))).toBe(404);
    expect(await messageStatus(await side.get(`${VERTICAL}?resort=No%20Such%20Place%00`, asAdmin))).toBe(404);
    expect(await messageStatus(await side.get('/skiers/70499/vertical?resort=1', asAdmin))).toBe(404);
  });

  test('operations 2 and 3: a skier reads their own, a device nothing, a stranger nothing', async () => {
    const own = { authorization: `Bearer ${await side.token(SKIER)}` };
    const other = { authorization: `Bearer ${await side.token(70_402)}` };
    for (const path of [dayPath(), `${VERTICAL}?resort=1`]) {
      expect((await side.get(path, own)).status).toBe(200);
      expect(await messageStatus(await side.get(path, other))).toBe(404);
      expect(await messageStatus(await side.get(path, { authorization: `Bearer ${DEVICE_KEY}` }))).toBe(403);
      const anonymous = await side.get(path);
      expect(await messageStatus(anonymous)).toBe(401);
    }
  });

  test('operation 4: all resorts, for everyone', async () => {
    const { resorts } = (await (await side.get('/resorts')).json()) as { resorts: unknown[] };
    expect(resorts).toHaveLength(10);
    expect(resorts[0]).toEqual({ resortName: side.resort(1).name, resortID: 1 });
  });

  test('operation 5: skiers of a day, under the singular day', async () => {
    const response = await side.get('/resorts/1/seasons/2022/day/1/skiers');
    expect(await response.json()).toEqual({ time: side.resort(1).name, numSkiers: 31 });
    expect(await (await side.get('/resorts/7/seasons/2022/day/1/skiers')).json()).toEqual({
      time: side.resort(7).name,
      numSkiers: 0,
    });
    expect(await messageStatus(await side.get('/resorts/4242/seasons/2022/day/1/skiers'))).toBe(404);
    for (const path of [
      'abc/seasons/2022/day/1',
      '1/seasons/x/day/1',
      '1/seasons/2022/day/0',
      '1/seasons/2022/day/367',
    ]) {
      expect(await messageStatus(await side.get(`/resorts/${path}/skiers`))).toBe(400);
    }
  });

  test('operation 6: declared seasons and those with rides', async () => {
    const { seasons } = (await (await side.get('/resorts/1/seasons')).json()) as { seasons: string[] };
    expect(seasons).toEqual(
      [...new Set([...side.resort(1).calendar.declaredSeasons, 2022, 2024].map(String))].toSorted((a, b) =>
        a.localeCompare(b),
      ),
    );
    expect(await messageStatus(await side.get('/resorts/4242/seasons'))).toBe(404);
    expect(await messageStatus(await side.get('/resorts/x/seasons'))).toBe(400);
  });

  test('operation 8: what this process measured, in whole milliseconds', async () => {
    await side.get('/resorts');
    const { endpointStats } = (await (await side.get('/statistics')).json()) as {
      endpointStats: { URL: string; operation: string; mean: number; max: number }[];
    };
    const entry = endpointStats.find(({ URL }) => URL === '/resorts');
    expect(entry).toMatchObject({ operation: 'GET' });
    for (const { mean, max } of endpointStats) {
      expect(Number.isInteger(mean) && Number.isInteger(max) && mean <= max).toBe(true);
    }
    expect(endpointStats.some(({ URL }) => URL.startsWith('/v1'))).toBe(false);
  });

  test('leading slashes collapse, as clients with a base URL that ends in / need', async () => {
    expect(await (await side.get(`/${dayPath()}`, asAdmin)).text()).toBe('120');
    expect((await side.get('//resorts')).status).toBe(200);
    expect((await side.get('///resorts/1/seasons')).status).toBe(200);
  });

  test('a GET that says it has JSON is a GET', async () => {
    for (const path of [dayPath(), `${VERTICAL}?resort=1`, '/resorts', '/resorts/1/seasons', '/statistics']) {
      expect((await side.get(path, { ...asAdmin, 'content-type': 'application/json' })).status).toBe(200);
    }
  });
});

describe('SkiDataAPI, open', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide({ skiDataApi: 'open' });
    await storeCourse(side);
  });
  afterAll(() => side.stop());

  test('no operation asks for credentials, and /v1 still does', async () => {
    expect(await (await side.get(dayPath())).text()).toBe('120');
    expect((await side.get(`${VERTICAL}?resort=1`)).status).toBe(200);
    expect((await side.get(`/v1/skiers/${SKIER}/rides`)).status).toBe(401);
  });
});

describe('SkiDataAPI behind a prefix', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide({ listen: true, pathPrefix: '/Server_war' });
    await storeCourse(side);
  });
  afterAll(() => side.stop());

  test('answers with the prefix, a doubled slash and without it', async () => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    for (const prefix of ['/Server_war', '/Server_war/', '//Server_war', '']) {
      expect(await (await side.get(`${prefix}${dayPath()}`, headers)).text()).toBe('120');
    }
    expect((await side.get('/Server_warm/resorts')).status).toBe(404);
  });

  test('the documentation names it', async () => {
    const { servers } = (await (await side.get('/Server_war/openapi.json')).json()) as { servers: { url: string }[] };
    expect(servers).toEqual([{ url: '/Server_war' }]);
    expect((await side.get('/Server_war/docs')).status).toBe(200);
  });
});
