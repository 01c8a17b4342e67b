import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ridesPage } from '../../src/rides/shapes.ts';
import { type EventStream, openEventStream } from '../support/event-stream.ts';
import { onPool } from '../support/on-pool.ts';
import { ADMIN_KEY, type ReadSide, startReadSide } from '../support/read-side.ts';
import { until } from '../support/until.ts';

const MAX_LISTENERS = 30;
const at = (minute: number) => new Date(Date.UTC(2025, 11, 20, 9, minute)).toISOString();
let nextSkier = 90_000;
const toldTo = ({ events }: EventStream) =>
  events.filter(({ event }) => event === 'ride').map(({ data }) => (data as { scannedAt: string }).scannedAt);

describe('rides as they are stored', () => {
  let side: ReadSide;
  const open: EventStream[] = [];
  beforeAll(async () => {
    side = await startReadSide({ listen: true, maxListeners: MAX_LISTENERS });
  });
  afterEach(async () => {
    for (const stream of open.splice(0)) stream.close();
    await until('nobody listens', async () => /liftline_live_listeners 0\n/.test(await side.metrics()));
  });
  afterAll(() => side.stop());

  const listen = async (skierId: number, o: { lastEventId?: string; query?: string; credential?: string } = {}) => {
    const stream = await openEventStream(`${side.url}/v1/skiers/${skierId}/live${o.query ?? ''}`, {
      authorization: `Bearer ${o.credential ?? (await side.token(skierId))}`,
      ...(o.lastEventId === undefined ? {} : { 'last-event-id': o.lastEventId }),
    });
    open.push(stream);
    return stream;
  };
  const storeAt = (skierId: number, ...minutes: number[]) =>
    side.store(minutes.map((minute) => ({ skierId, liftId: 1, at: at(minute) })));
  const page = async (skierId: number) =>
    ridesPage.parse(await side.json(`/v1/skiers/${skierId}/rides`, await side.token(skierId)));

  test('come to who listens, as the history has them, and to nobody else', async () => {
    const [skierId, other] = [nextSkier++, nextSkier++];
    await storeAt(skierId, 1);
    const query = `?lastEventId=${(await page(skierId)).changesToken}`;
    const [first, second, others] = [
      await listen(skierId, { query }),
      await listen(skierId, { query }),
      await listen(other),
    ];
    expect(first.status).toBe(200);
    expect(first.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'private, no-store',
      'x-accel-buffering': 'no',
    });
    expect(await first.next('hello')).toMatchObject({ data: { asOf: null }, retry: expect.any(Number) as number });
    await storeAt(skierId, 2);
    const told = await first.next('ride');
    await second.next('ride');
    expect(told.data).toEqual((await page(skierId)).rides[0]);
    await storeAt(other, 3);
    await others.next('ride');
    expect([first, second, others].map(toldTo)).toEqual([[at(2)], [at(2)], [at(3)]]);
  });

  test('come once each, late ones too, when many are stored at once', async () => {
    const skierId = nextSkier++;
    const stream = await listen(skierId);
    await storeAt(skierId, 9, 7, 8);
    await stream.next('ride', 3);
    await storeAt(skierId, 1, 30);
    await Promise.all([storeAt(skierId, 2), side.store([{ skierId, liftId: 1, at: '2024-12-20T09:00:00Z' }])]);
    await stream.next('ride', 7);
    expect(new Set(toldTo(stream)).size).toBe(7);
    expect(toldTo(stream).slice(0, 3)).toEqual([at(7), at(8), at(9)]);
  });

  test('a listener that comes back is told what it missed, in order, and goes on', async () => {
    const skierId = nextSkier++;
    const before = await listen(skierId);
    await storeAt(skierId, 10);
    await before.next('ride');
    before.close();
    const meanwhile = await listen(skierId);
    await storeAt(skierId, 12);
    await storeAt(skierId, 5, 11);
    await meanwhile.next('ride', 3);
    const after = await listen(skierId, { lastEventId: before.lastId() ?? '' });
    await after.next('ride', 3);
    await storeAt(skierId, 13);
    await after.next('ride', 4);
    expect(toldTo(after)).toEqual([at(5), at(11), at(12), at(13)]);
    expect(after.events[0]).toMatchObject({ event: 'hello', id: undefined });
  });

  test('who has read a page begins where it was read: between the two nothing is missed', async () => {
    const skierId = nextSkier++;
    await storeAt(skierId, 1);
    const { changesToken } = await page(skierId);
    await storeAt(skierId, 2);
    const stream = await listen(skierId, { query: `?lastEventId=${changesToken}` });
    await stream.next('ride');
    expect(toldTo(stream)).toEqual([at(2)]);
    // the header is what a browser adds when it comes back to the same address
    const lastEventId = stream.lastId() ?? '';
    const again = await listen(skierId, { query: `?lastEventId=${changesToken}`, lastEventId });
    await storeAt(skierId, 3);
    await again.next('ride');
    expect(toldTo(again)).toEqual([at(3)]);
    // and the id of an event is a token for `changedSince`
    const since = ridesPage.parse(
      await side.json(`/v1/skiers/${skierId}/rides?changedSince=${lastEventId}`, await side.token(skierId)),
    );
    expect(since.rides.map(({ scannedAt }) => scannedAt)).toEqual([at(3)]);
  });

  test.each([
    ['of another state of the node', (token: string) => token, true],
    ['that can not be read', () => 'nonsense', false],
  ])('with a token %s it begins now, and says so', async (_what, change, isNewNode) => {
    const skierId = nextSkier++;
    const earlier = await listen(skierId);
    await storeAt(skierId, 1);
    await earlier.next('ride');
    const { changesToken } = await page(skierId);
    if (isNewNode) {
      const identity = randomUUID();
      await onPool(side.nodeOf(skierId).url, (pool) =>
        pool.query('UPDATE node_identity SET identity = $1', [identity]),
      );
      await earlier.next('bye'); // nobody knows what it has missed
      await until('it is over', () => earlier.isOver());
    }
    const stream = await listen(skierId, { lastEventId: change(changesToken ?? '') });
    await stream.next('reset');
    await storeAt(skierId, 2);
    await stream.next('ride');
    expect(toldTo(stream)).toEqual([at(2)]);
  });

  test('who has missed too much reads anew', async () => {
    const skierId = nextSkier++;
    const { changesToken } = await page(skierId);
    const earlier = await listen(skierId);
    await storeAt(skierId, ...Array.from({ length: 201 }, (_, minute) => minute));
    await earlier.next('ride', 201);
    const stream = await listen(skierId, { lastEventId: changesToken ?? '' });
    await stream.next('reset');
    expect(toldTo(stream)).toEqual([]);
  });

  test('says up to when it is complete, when that has moved', async () => {
    const skierId = nextSkier++;
    const tell = (time: string) =>
      onPool(side.nodeOf(skierId).url, (pool) =>
        pool.query(
          `INSERT INTO lane_as_of SELECT lane, $1, gen_random_uuid() FROM generate_series(0, 1) AS lane
            ON CONFLICT (lane) DO UPDATE SET as_of = $1`,
          [time],
        ),
      );
    await tell('2026-01-01T00:00:01Z');
    const stream = await until('it is told', async () => {
      const one = await listen(skierId);
      return (await one.next('hello')).data !== null && JSON.stringify(one.events).includes('2026') && one;
    });
    await tell('2026-01-01T00:00:09Z');
    const told = await stream.next('asOf');
    expect(told).toMatchObject({ data: { asOf: '2026-01-01T00:00:09.000Z' }, id: expect.any(String) as string });
  });

  test('a node that is away is waited for: what was stored meanwhile comes afterwards', async () => {
    const skierId = nextSkier++;
    const stream = await listen(skierId);
    await stream.next('hello');
    const proxy = [...side.proxies].find(([nodeId]) => nodeId === side.nodeOf(skierId).nodeId)?.[1];
    proxy?.goSilent();
    await storeAt(skierId, 1);
    const late = await listen(skierId); // from the last state that was heard of
    expect(late.status).toBe(200);
    await proxy?.open();
    await Promise.all([stream.next('ride'), late.next('ride')]);
    expect(toldTo(stream)).toEqual([at(1)]);
  });

  test('only who may read them may listen', async () => {
    const [skierId, other] = [nextSkier++, nextSkier++];
    const statuses = [
      await listen(skierId, { credential: await side.token(other) }),
      await listen(skierId, { credential: 'nonsense' }),
      await listen(skierId, { credential: ADMIN_KEY }),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([404, 401, 200]);
    expect(statuses[0]?.headers['content-type']).toBe('application/problem+json');
  });

  test('a skier has some places, the process has some more; those who leave give theirs back', async () => {
    const skierId = nextSkier++;
    const mine = await Promise.all(Array.from({ length: 20 }, () => listen(skierId)));
    const refused = await listen(skierId);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '10']);
    const others = await Promise.all(Array.from({ length: 10 }, () => listen(nextSkier++)));
    const full = await listen(nextSkier++);
    expect([full.status, full.headers['retry-after']]).toEqual([503, '10']);
    expect([...mine, ...others].every(({ status }) => status === 200)).toBe(true);
    others[0]?.close();
    await until('there is a place', async () => {
      const stream = await listen(nextSkier++);
      if (stream.status === 200) return true;
      stream.close();
      return false;
    });
  });

  test('a HEAD has no stream', async () => {
    const skierId = nextSkier++;
    const headers = { authorization: `Bearer ${await side.token(skierId)}` };
    const reply = await side.get(`/v1/skiers/${skierId}/live`, headers, { method: 'HEAD' });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });
});

describe('the end of live streams', () => {
  test('a process that stops says so, and when to come back', async () => {
    const side = await startReadSide({ listen: true });
    const skierId = nextSkier++;
    const authorization = `Bearer ${await side.token(skierId)}`;
    const stream = await openEventStream(`${side.url}/v1/skiers/${skierId}/live`, { authorization });
    await stream.next('hello');
    await side.stop();
    const { retry } = await stream.next('bye');
    expect(retry).toBeGreaterThanOrEqual(1_000);
    expect(stream.isWhole()).toBe(true); // it was not cut off, as what still runs after 3 s is
  });
});
