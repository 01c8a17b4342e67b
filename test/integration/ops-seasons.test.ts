import { afterEach, describe, expect, test } from 'vitest';
import { addDevice } from '../../src/directory/add-device.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { messageStatus } from '../support/replies.ts';
import { until } from '../support/until.ts';

describe('SkiDataAPI operation 7', () => {
  let plane: ControlPlane;
  afterEach(() => plane.stop());

  const post = (body: unknown, o: { resort?: string; authorization?: string | null } = {}) =>
    plane.ask('POST', `/resorts/${o.resort ?? '3'}/seasons`, {
      body,
      ...('authorization' in o && { authorization: o.authorization ?? null }),
    });
  test('adds a season, which every process then knows; twice is no harm', async () => {
    plane = await startControlPlane();
    const seasons = () => plane.follower.snapshot().resorts.get(3)?.calendar.declaredSeasons ?? [];
    expect(seasons()).not.toContain(2019);
    expect((await post({ year: '2019' })).status).toBe(201);
    await until('the season is known', () => seasons().includes(2019));
    expect((await post({ year: '2019' })).status).toBe(201);
    expect(seasons().filter((season) => season === 2019)).toHaveLength(1);
  });

  test('refuses what is no year, and what is no resort', async () => {
    plane = await startControlPlane();
    const noYears = [
      { year: 2019 },
      { year: '19' },
      { year: '20190' },
      { year: 'next' },
      { year: '1899' },
      { year: '2\0' },
      {},
      '{',
      '[]',
    ];
    for (const body of noYears) expect(await messageStatus(await post(body))).toBe(400);
    expect(await messageStatus(await post({ year: '2019' }, { resort: 'abc' }))).toBe(400);
    expect(await messageStatus(await post({ year: '2019' }, { resort: '0' }))).toBe(400);
    expect(await messageStatus(await post({ year: '2019' }, { resort: '4242' }))).toBe(404);
    expect(await messageStatus(await post({ year: 'x'.repeat(20_000) }))).toBe(413);
  });

  test('needs the admin key, and no credentials where the API is open', async () => {
    plane = await startControlPlane();
    const { key } = await addDevice(plane.directory, 'gate');
    await until('the key is known', () => plane.follower.snapshot().devicesByKeyHash.size > 0);
    expect(await messageStatus(await post({ year: '2019' }, { authorization: null }))).toBe(401);
    expect(await messageStatus(await post({ year: '2019' }, { authorization: `Bearer ${key}` }))).toBe(403);
    await plane.stop();
    plane = await startControlPlane({ skiDataApi: 'open' });
    expect((await post({ year: '2019' }, { authorization: null })).status).toBe(201);
  });

  test('is a 503 with Retry-After while the directory is away, and works again after', async () => {
    plane = await startControlPlane();
    await plane.proxy.close();
    const response = await post({ year: '2019' });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await messageStatus(response)).toBe(503);
    await plane.proxy.open();
    expect((await post({ year: '2019' })).status).toBe(201);
  });
});
