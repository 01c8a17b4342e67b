import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeReceipt } from '../../src/domain/receipt.ts';
import { ridesPage, type RidesPage } from '../../src/rides/shapes.ts';
import { onPool } from '../support/on-pool.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

const HOUR = (hour: number) => `2025-12-20T${String(hour).padStart(2, '0')}:00:00Z`;
let nextSkier = 80_000;
const since = ({ changesToken }: RidesPage, more = '') => `?changedSince=${changesToken}${more}`;
const hours = ({ rides }: RidesPage) => rides.map(({ scannedAt }) => new Date(scannedAt).getUTCHours());

describe('what is new since an earlier answer', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide();
  });
  afterAll(() => side.stop());

  const read = async (skierId: number, query = '') =>
    ridesPage.parse(await side.json(`/v1/skiers/${skierId}/rides${query}`, await side.token(skierId)));
  /** What `changedSince` has when there is something: the feed hears of a change within 50 ms. */
  const readNew = (skierId: number, query: string) =>
    until('there is something new', async () => {
      const page = await read(skierId, query);
      return page.rides.length > 0 && page;
    });
  const storeHours = (skierId: number, of: number[], resortId = 1) =>
    side.store(of.map((hour) => ({ skierId, resortId, liftId: 1, at: HOUR(hour) })));

  test('is told once, oldest first, late scans too; then the new token tells what comes next', async () => {
    const skierId = nextSkier++;
    await storeHours(skierId, [10, 11]);
    const first = await read(skierId);
    expect(await read(skierId, since(first))).toMatchObject({ rides: [], reset: false, hasMore: false });
    await storeHours(skierId, [12, 9]); // 9 comes late: it slips behind a newest-first cursor
    const second = await readNew(skierId, since(first));
    expect(hours(second)).toEqual([9, 12]);
    expect(second).toMatchObject({ reset: false, hasMore: false, nextCursor: null });
    expect((await read(skierId, since(second))).rides).toEqual([]);
    await storeHours(skierId, [8]);
    expect(hours(await readNew(skierId, since(second)))).toEqual([8]);
    expect(hours(await readNew(skierId, since(first)))).toEqual([8, 9, 12]);
    // the control: who asks for what was scanned after the newest ride misses both
    const newest = hours(first)[0] ?? 0;
    expect(hours(await read(skierId)).filter((hour) => hour > newest)).toEqual([12]);
  });

  test('an empty history has a token too', async () => {
    const skierId = nextSkier++;
    const empty = await read(skierId);
    await storeHours(skierId, [7]);
    expect(hours(await readNew(skierId, since(empty)))).toEqual([7]);
  });

  test('comes in pages, and what is stored between two of them comes after them', async () => {
    const skierId = nextSkier++;
    const start = await read(skierId);
    await storeHours(skierId, [5, 7, 9, 11, 13]);
    const pages = [await readNew(skierId, since(start, '&limit=2'))];
    await storeHours(skierId, [4, 8, 14]);
    for (let last = pages[0] as RidesPage; last.hasMore; pages.push(last)) {
      expect(last.asOf).toBeNull();
      last = await read(skierId, since(last, '&limit=2'));
    }
    expect(pages.map(hours)).toEqual([[5, 7], [9, 11], [13]]);
    expect(hours(await readNew(skierId, since(pages.at(-1) as RidesPage)))).toEqual([4, 8, 14]);
  });

  test('tells until when it is complete, at the end of its pages as of their beginning', async () => {
    const skierId = nextSkier++;
    const url = side.nodeOf(skierId).url;
    const tell = (time: string) =>
      onPool(url, (pool) =>
        pool.query(
          `INSERT INTO lane_as_of SELECT lane, $1, gen_random_uuid() FROM generate_series(0, 1) AS lane
            ON CONFLICT (lane) DO UPDATE SET as_of = $1`,
          [time],
        ),
      );
    const start = await read(skierId);
    await storeHours(skierId, [5, 7, 9]);
    await tell('2026-01-01T00:00:01Z');
    const first = await readNew(skierId, since(start, '&limit=2'));
    expect(first).toMatchObject({ asOf: null, hasMore: true });
    await tell('2026-01-01T00:00:02Z');
    const last = await read(skierId, since(first, '&limit=2'));
    expect(last).toMatchObject({ asOf: '2026-01-01T00:00:01.000Z', hasMore: false });
    expect(await read(skierId, since(last))).toMatchObject({ rides: [] });
    await storeHours(skierId, [3]);
    expect(await readNew(skierId, since(last))).toMatchObject({ asOf: '2026-01-01T00:00:02.000Z' });
  });

  test('obeys the filters', async () => {
    const skierId = nextSkier++;
    const start = await read(skierId, '?resort=2');
    await storeHours(skierId, [9], 1);
    await storeHours(skierId, [10], 2);
    expect(hours(await readNew(skierId, since(start, '&resort=2')))).toEqual([10]);
    expect(hours(await read(skierId, since(start, '&season=1999')))).toEqual([]);
    expect(hours(await read(skierId, since(start, '&from=2026-01-01')))).toEqual([]);
  });

  test('starts anew when the node’s data is another one, in pages, and goes on from there', async () => {
    const skierId = nextSkier++;
    await storeHours(skierId, [9, 10, 11]);
    const old = await read(skierId);
    await onPool(side.nodeOf(skierId).url, (pool) =>
      pool.query('UPDATE node_identity SET identity = $1', [randomUUID()]),
    );
    const first = await readNew(skierId, since(old, '&limit=2'));
    expect([hours(first), first.reset, first.hasMore]).toEqual([[9, 10], true, true]);
    await storeHours(skierId, [8]);
    const last = await read(skierId, since(first, '&limit=2'));
    expect([hours(last), last.reset, last.hasMore]).toEqual([[11], false, false]);
    expect(hours(await readNew(skierId, since(last)))).toEqual([8]);
  });

  test('starts anew when the shard has moved', async () => {
    const skierId = nextSkier++;
    await storeHours(skierId, [9]);
    const { changesToken } = await read(skierId);
    const parts = JSON.parse(Buffer.from(changesToken ?? '', 'base64url').toString()) as unknown[];
    parts[3] = Number(parts[3]) + 1;
    const ofEarlierEpoch = Buffer.from(JSON.stringify(parts)).toString('base64url');
    const anew = await read(skierId, `?changedSince=${ofEarlierEpoch}`);
    expect([hours(anew), anew.reset]).toEqual([[9], true]);
  });

  test('further pages of a cursor carry no token: the first one’s holds', async () => {
    const skierId = nextSkier++;
    await storeHours(skierId, [9, 10, 11]);
    const first = await read(skierId, '?limit=2');
    expect((await read(skierId, `?limit=2&cursor=${first.nextCursor}`)).changesToken).toBeNull();
  });

  test('what is no token is refused', async () => {
    const skierId = nextSkier++;
    const authorization = `Bearer ${await side.token(skierId)}`;
    const ask = async (query: string) =>
      problemOf(await side.get(`/v1/skiers/${skierId}/rides${query}`, { authorization }));
    const { changesToken } = await read(skierId);
    const parts = JSON.parse(Buffer.from(changesToken ?? '', 'base64url').toString()) as unknown[];
    const forged = (seen: unknown) =>
      `?changedSince=${Buffer.from(JSON.stringify(parts.toSpliced(4, 1, seen))).toString('base64url')}`;
    for (const query of [
      '?changedSince=',
      '?changedSince=abc',
      forged('nonsense'),
      forged('9:3:'),
      forged('3:9:8,4'),
    ]) {
      expect(await ask(query)).toEqual([400, 'bad_cursor']);
    }
    expect(await ask(`?changedSince=${changesToken}&cursor=x`)).toEqual([400, 'malformed']);
    expect(await ask(`?changedSince=${changesToken}&changedSince=x`)).toEqual([400, 'malformed']);
    expect(await problemOf(await side.get(`/v1/skiers/${skierId}/rides${forged('1:1:')}`))).toEqual([
      401,
      'unauthorized',
    ]);
  });

  test('with `after` it is read after that scan is there', async () => {
    const skierId = nextSkier++;
    const start = await read(skierId);
    const eventId = randomUUID();
    await side.store([{ skierId, liftId: 1, at: HOUR(9), eventId }]);
    const now = Date.now();
    const scan = { skierId, scannedAt: Date.parse(HOUR(9)), deviceId: 1, eventId };
    const receipt = encodeReceipt({ ...scan, enqueuedAt: now, acceptedAt: now });
    const page = await read(skierId, since(start, `&after=${receipt}`));
    expect(page).toMatchObject({ after: { status: 'persisted' }, rides: [{ eventId }] });
  });
});
