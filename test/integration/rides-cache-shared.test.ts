import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answersOf } from '../support/kept-answers.ts';
import { skierOn } from '../support/nodes.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const SKIER = skierOn(0);

let redis: TestRedis;
let tier: Redis;
let sharing: ReadSide;
const { read, rides, count, sources, untilKept } = answersOf(() => sharing);

/** The second tier's name for what a process has answered to the skier. */
const keyOf = (of: ReadSide, path: string) => `liftline:answer:2:${of.installation}:skier ${SKIER} ${path}`;

/** Resolves once one takes from the tier what the other has read; from a page of so many rides on. */
async function untilShared(o: { from: ReadSide; by: ReadSide; limit: number }): Promise<void> {
  let { limit } = o;
  await until('what one has read is taken by the other', async () => {
    const before = await tier.dbsize();
    const path = `/v1/skiers/${SKIER}/rides?limit=${limit}`;
    limit += 1;
    await read(path, {}, o.from);
    await until('it is in the second tier', async () => (await tier.dbsize()) > before, 1_000);
    await read(path, {}, o.by);
    return (await sources(o.by))['skier shared'];
  });
}

describe.skipIf(!redisAvailable)('the second tier', () => {
  beforeEach(async () => {
    redis = await startRedis();
    tier = new Redis(redis.url);
    tier.on('error', () => {}); // it is taken away
    sharing = await startReadSide({ cacheBytes: 1_000_000, cacheUrl: redis.url });
    await sharing.store([{ skierId: SKIER, liftId: 1, at: '2025-12-24T09:00:00Z' }]);
  });
  afterEach(async () => {
    await sharing.stop();
    tier.disconnect();
    await redis.stop();
  });

  test('has what another process has read, as long as it is current', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`, 'skier', sharing);
    const second = await sharing.again();
    try {
      await untilKept(`/v1/skiers/${SKIER}/days`, 'skier', second);
      // what was read since both know of changes is good for both
      await untilShared({ from: second, by: sharing, limit: 1 });
      await sharing.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
      await until('both have the new one', async () => {
        const found = await Promise.all([sharing, second].map((from) => count(rides(SKIER, from))));
        return found.every((one) => Array.isArray(one) && one.length === 2);
      });
      expect((await sources(second))['skier stale']).toBeUndefined();
    } finally {
      await second.stop();
    }
  });

  test('has something to give when a process that starts finds the node away', async () => {
    const path = (limit: number) => `/v1/skiers/${SKIER}/rides?limit=${limit}`;
    let limit = 1;
    await until('it is there', async () => {
      await read(path((limit += 1)), {}, sharing);
      return (await tier.exists(keyOf(sharing, `${SKIER}/rides?limit=${limit - 1}`))) === 1;
    });
    sharing.proxies.get(sharing.nodeOf(SKIER).nodeId)?.goSilent();
    const second = await sharing.again();
    try {
      // the second tier is no help before it is connected
      const stale = await until('an answer', async () => {
        const response = await read(path(limit - 1), {}, second);
        return response.status === 200 && response;
      });
      expect(await stale.json()).toMatchObject({ stale: true, rides: [{ resortId: 1 }] });
      expect((await read(`/v1/skiers/${SKIER}/days`, {}, second)).status).toBe(503);
    } finally {
      await second.stop();
    }
  });

  test('has nothing of another installation, whose skiers have the same numbers', async () => {
    const other = await startReadSide({ cacheBytes: 1_000_000, cacheUrl: redis.url });
    try {
      let limit = 1;
      const path = () => `/v1/skiers/${SKIER}/rides?limit=${limit}`;
      await until('both keep answers there', async () => {
        limit += 1;
        await read(path(), {}, sharing);
        await read(`/v1/skiers/${SKIER}/days?limit=${limit}`, {}, other);
        const keys = [keyOf(sharing, `${SKIER}/rides?limit=${limit}`), keyOf(other, `${SKIER}/days?limit=${limit}`)];
        return (await tier.exists(...keys)) === 2;
      });
      other.proxies.get(other.nodeOf(SKIER).nodeId)?.goSilent();
      expect((await read(path(), {}, other)).status).toBe(503);
    } finally {
      await other.stop();
    }
  });

  test('that is silent is asked no more until it answers', async () => {
    await untilKept(`/v1/skiers/${SKIER}/rides`, 'skier', sharing);
    const second = await sharing.again();
    try {
      await untilKept(`/v1/skiers/${SKIER}/rides`, 'skier', second);
      redis.signal('SIGSTOP');
      for (let limit = 1; limit <= 20; limit += 1) {
        expect((await read(`/v1/skiers/${SKIER}/rides?limit=${limit}`, {}, sharing)).status).toBe(200);
      }
      redis.signal('SIGCONT');
      await untilShared({ from: sharing, by: second, limit: 21 });
    } finally {
      await second.stop();
    }
  });

  test('is missed by nobody when it is away', async () => {
    await redis.stop();
    for (const path of ['rides', 'days', 'seasons']) {
      expect((await read(`/v1/skiers/${SKIER}/${path}`, {}, sharing)).status).toBe(200);
    }
    await sharing.store([{ skierId: SKIER, liftId: 2, at: '2025-12-24T10:00:00Z' }]);
    await until('the new ride is there', async () => {
      const found = await count(rides(SKIER, sharing));
      return Array.isArray(found) && found.length === 2;
    });
  });
});
