import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeReceipt, type Receipt } from '../../src/domain/receipt.ts';
import { keepAsOf } from '../../src/shards/as-of.ts';
import { skierOn } from '../support/nodes.ts';
import { ADMIN_KEY, type ReadSide, startReadSide } from '../support/read-side.ts';
import { DEVICE_KEY } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';

const SKIER = skierOn(0);
const AT = '2025-12-24T09:00:00.000Z';
const KEEPER = '00000000-0000-4000-8000-000000000001';
const ACKED = Date.UTC(2025, 11, 24, 9, 0, 1);

let side: ReadSide;
let pool: Pool;
beforeAll(async () => {
  side = await startReadSide({ cacheBytes: 1_000_000, listen: true });
  pool = new Pool({ connectionString: side.nodeOf(SKIER).url, max: 1 });
});
afterAll(async () => {
  await pool.end();
  await side.stop();
});

/** Of a scan that nobody has sent, by device 1, whose key is DEVICE_KEY. */
function newReceipt(changes: Partial<Receipt> = {}): Receipt {
  const scan = { skierId: SKIER, deviceId: 1, scannedAt: Date.parse(AT), eventId: randomUUID() };
  return { ...scan, enqueuedAt: ACKED, acceptedAt: ACKED + 5, ...changes };
}

const store = ({ eventId, deviceId }: Receipt) =>
  side.store([{ skierId: SKIER, liftId: 1, at: AT, eventId, deviceId }]);
const ask = (receipt: Receipt, credential = DEVICE_KEY) =>
  side.get(`/v1/receipts/${encodeReceipt(receipt)}`, { authorization: `Bearer ${credential}` });
const statusOf = async (receipt: Receipt, credential: string) => (await ask(receipt, credential)).status;
const fateOf = async (receipt: Receipt) => (await ask(receipt)).json();
const bury = ({ eventId, enqueuedAt }: Receipt, payload: object) =>
  pool.query(
    `INSERT INTO dead_letters (shard, lane, batch_id, code, detail, payload, accepted_at)
     VALUES (0, 0, gen_random_uuid(), '23514', 'lift_vertical_m', $1::json, to_timestamp($2::float8 / 1000))`,
    [JSON.stringify({ ...payload, eventId, note: 'a\u0000b' }), enqueuedAt],
  );

describe('GET /v1/receipts/{receipt}', () => {
  test('queued, then persisted: when, on which node and shard', async () => {
    const receipt = newReceipt();
    const { eventId } = receipt;
    const acceptedAt = '2025-12-24T09:00:01.005Z';
    expect(await fateOf(receipt)).toEqual({ status: 'queued', eventId, acceptedAt });
    const before = Date.now();
    await store(receipt);
    const fate = (await fateOf(receipt)) as { persistedAt: string };
    expect(fate).toMatchObject({ status: 'persisted', eventId, acceptedAt, node: 'node-1', shard: 0 });
    expect(Date.parse(fate.persistedAt)).toBeGreaterThan(before - 5_000);
    await pool.query('DELETE FROM ledger');
    expect(await fateOf(receipt)).toMatchObject({ status: 'persisted', persistedAt: null });
  });

  test('dead, with the reason; discarded once an operator has removed it and the lane is complete', async () => {
    const receipt = newReceipt({ enqueuedAt: ACKED + 1_000, acceptedAt: ACKED + 1_005 });
    await bury(receipt, { skierId: SKIER });
    expect(await fateOf(receipt)).toMatchObject({
      status: 'dead',
      reason: { code: '23514', detail: 'lift_vertical_m' },
    });
    await pool.query('DELETE FROM dead_letters');
    expect(await fateOf(receipt)).toMatchObject({ status: 'queued' });
    await keepAsOf(pool, KEEPER, [{ lane: 0, asOf: receipt.acceptedAt }]);
    expect(await fateOf(receipt)).toMatchObject({ status: 'discarded' });
  });

  test('a dead job that could not be read holds the ids of its scans in a row', async () => {
    const receipt = newReceipt({ enqueuedAt: ACKED + 2_000, acceptedAt: ACKED + 2_005 });
    await bury({ ...receipt, eventId: '' }, { eventIds: `${randomUUID()}${receipt.eventId}` });
    expect(await fateOf(receipt)).toMatchObject({ status: 'dead' });
    expect(await fateOf({ ...receipt, eventId: randomUUID() })).toMatchObject({ status: 'queued' });
  });

  test('is for its device, its skier and operators; for others there is none', async () => {
    const receipt = newReceipt();
    expect(await statusOf(receipt, ADMIN_KEY)).toBe(200);
    expect(await statusOf(receipt, await side.token(SKIER))).toBe(200);
    expect(await statusOf(receipt, await side.token(SKIER + 1))).toBe(404);
    expect(await statusOf({ ...receipt, deviceId: 2 }, DEVICE_KEY)).toBe(404);
    expect(await statusOf(receipt, `ll_dev_${'x'.repeat(43)}`)).toBe(401);
    expect((await side.get('/v1/receipts/nonsense', { authorization: `Bearer ${DEVICE_KEY}` })).status).toBe(400);
  });
});

/** Reads once the scan of the receipt is there. */
const read = async (path: string, receipt: Receipt, wait = '', from = side) => {
  const query = `?after=${encodeReceipt(receipt)}${wait}`;
  const authorization = `Bearer ${await side.token(SKIER)}`;
  return from.get(`/v1/skiers/${SKIER}/${path}${query}`, { authorization });
};
const untilWaiting = (count: number, from = side) =>
  until(`${count} wait`, async () => (await from.metrics()).includes(`liftline_waiting_reads ${count}\n`));

describe('?after=', () => {
  test.each(['rides', 'days', 'days/2025-12-24', 'seasons'])('%s waits until the scan is there', async (path) => {
    const receipt = newReceipt({ acceptedAt: ACKED + 60_000 });
    const without = (await (await read(path, receipt, '&wait=0')).json()) as object;
    expect(without).toMatchObject({ after: { status: 'queued' } });
    const answer = read(path, receipt, '&wait=10');
    await store(receipt);
    const body = (await (await answer).json()) as object;
    expect(body).toMatchObject({ after: { status: 'persisted' } });
    expect(JSON.stringify({ ...body, asOf: 0, after: 0 })).not.toBe(JSON.stringify({ ...without, asOf: 0, after: 0 }));
  });

  test('says that the scan is dead', async () => {
    const receipt = newReceipt({ enqueuedAt: ACKED + 3_000, acceptedAt: ACKED + 60_000 });
    await bury(receipt, {});
    expect(await (await read('rides', receipt)).json()).toMatchObject({ after: { status: 'dead' } });
  });

  // in less than the 10 s after which it would look anyway
  test('hears of a dead letter that comes while it waits, by how far the lane is complete', {
    timeout: 8_000,
  }, async () => {
    const receipt = newReceipt({ enqueuedAt: ACKED + 4_000, acceptedAt: ACKED + 70_000 });
    const answer = read('rides', receipt, '&wait=10');
    await untilWaiting(1);
    expect(await fateOf(receipt)).toMatchObject({ status: 'queued' });
    await bury(receipt, {});
    await keepAsOf(pool, KEEPER, [{ lane: 0, asOf: receipt.acceptedAt }]);
    expect(await (await answer).json()).toMatchObject({ after: { status: 'dead' } });
  });

  test('who asks next sees no less, although nobody has told of the change yet', async () => {
    const authorization = `Bearer ${await side.token(SKIER)}`;
    const plain = async () => (await side.get(`/v1/skiers/${SKIER}/rides`, { authorization })).text();
    for (let i = 0; i < 5; i += 1) {
      const receipt = newReceipt({ acceptedAt: ACKED + 80_000 });
      expect(await plain()).not.toContain(receipt.eventId);
      await store(receipt);
      expect(await (await read('rides', receipt)).json()).toMatchObject({ after: { status: 'persisted' } });
      expect(await plain()).toContain(receipt.eventId);
    }
  });

  test('nobody is waited for who has gone', async () => {
    const leaving = new AbortController();
    const receipt = newReceipt({ acceptedAt: ACKED + 90_000 });
    const url = `${side.url}/v1/skiers/${SKIER}/rides?after=${encodeReceipt(receipt)}&wait=10`;
    const headers = { authorization: `Bearer ${await side.token(SKIER)}` };
    const answer = fetch(url, { headers, signal: leaving.signal });
    await untilWaiting(1);
    leaving.abort();
    await expect(answer).rejects.toThrow('abort');
    await untilWaiting(0);
  });

  test('a process that stops answers at once', async () => {
    const second = await side.again();
    const receipt = newReceipt({ acceptedAt: ACKED + 90_000 });
    const answer = read('rides', receipt, '&wait=10', second);
    await untilWaiting(1, second);
    await second.stop();
    expect(await (await answer).json()).toMatchObject({ after: { status: 'queued' } });
  });

  test('another skier’s receipt, none at all, or a wait that is too long is an error', async () => {
    expect((await read('rides', newReceipt({ skierId: SKIER + 1 }))).status).toBe(422);
    expect((await read('rides', newReceipt(), '&wait=11')).status).toBe(422);
    const authorization = `Bearer ${await side.token(SKIER)}`;
    expect((await side.get(`/v1/skiers/${SKIER}/rides?after=x`, { authorization })).status).toBe(400);
  });
});
