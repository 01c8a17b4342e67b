import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type ReadSide, startReadSide } from '../support/read-side.ts';
import { messageStatus, problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

const authorization = `Bearer ${ADMIN_KEY}`;
const LIMIT_MS = 2_000;
const SKIERS = Array.from({ length: 20 }, (_, i) => 70_501 + i);
const PATHS = ['rides', 'days', 'days/2025-12-20', 'seasons'];

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAt = performance.now();
  return { result: await work(), ms: performance.now() - startedAt };
}

describe('a node that is away', () => {
  let side: ReadSide;
  let there: number;
  let away: number;
  beforeAll(async () => {
    side = await startReadSide();
    await side.store(SKIERS.map((skierId) => ({ skierId, liftId: 1, at: '2025-12-20T09:00:00Z' })));
    there = SKIERS.find((skierId) => side.nodeOf(skierId).nodeId === 1) as number;
    away = SKIERS.find((skierId) => side.nodeOf(skierId).nodeId === 2) as number;
  });
  afterAll(() => side.stop());

  const rides = (skierId: number) => side.get(`/v1/skiers/${skierId}/rides`, { authorization });
  const proxy = () => {
    const found = side.proxies.get(2);
    if (!found) throw new Error('there is no second node');
    return found;
  };
  beforeEach(async () => {
    await proxy().close();
    await proxy().open();
    await until('both nodes answer', async () => (await rides(away)).ok && (await rides(there)).ok);
  });

  test.each(['refuses', 'is silent'])(
    'one that %s: its skiers get a 503 within 2 s, everyone else is served',
    async (how) => {
      if (how === 'refuses') await proxy().close();
      else proxy().goSilent();
      for (const path of PATHS) {
        const [hit, missed] = await Promise.all([
          timed(() => side.get(`/v1/skiers/${away}/${path}`, { authorization })),
          timed(() => side.get(`/v1/skiers/${there}/${path}`, { authorization })),
        ]);
        expect(hit.result.headers.get('retry-after')).toBe('1');
        expect(await problemOf(hit.result)).toEqual([503, 'node_unavailable']);
        expect(hit.ms).toBeLessThan(LIMIT_MS);
        expect(missed.result.status).toBe(200);
        expect(missed.ms).toBeLessThan(LIMIT_MS / 2);
      }
      await proxy().open();
      const back = await until('its skiers are served again', async () => (await rides(away)).ok);
      expect(back).toBe(true);
    },
  );

  test('a sum over all nodes is refused, never short; what the directory knows is served', async () => {
    await proxy().close();
    expect(await problemOf(await side.get('/v1/resorts/1/days/2025-12-20'))).toEqual([503, 'node_unavailable']);
    expect(await messageStatus(await side.get('/resorts/1/seasons/2025/day/50/skiers'))).toBe(503);
    expect(await messageStatus(await side.get('/resorts/1/seasons'))).toBe(503);
    for (const path of ['/v1/resorts', '/v1/resorts/1', '/resorts']) expect((await side.get(path)).status).toBe(200);
  });

  test('the SkiDataAPI says it in its own words', async () => {
    await proxy().close();
    const response = await side.get(`/skiers/${away}/vertical?resort=1`, { authorization });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await messageStatus(response)).toBe(503);
    expect((await side.get(`/skiers/${there}/vertical?resort=1`, { authorization })).status).toBe(200);
  });
});
