import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NodeStream } from '../../src/rides/live/node-stream.ts';
import type { SeenState, Write } from '../../src/shards/node-changes.ts';
import { parseSnapshot, type PgSnapshot } from '../../src/shards/pg-snapshot.ts';
import type { StoredBy, StoredRide } from '../../src/shards/stored-rides.ts';
import { quiet } from '../support/nodes.ts';

const LISTENED = new Set([1, 2, 3]);

function stateAt(xmax: number): SeenState {
  const text = `${xmax}:${xmax}:`;
  return { identity: 'a node', text, snapshot: parseSnapshot(text) as PgSnapshot, asOf: new Map() };
}

const writeOf = (xid: number, skiers: number[], firstScannedAt: number | null = xid): Write => ({
  xid: String(xid),
  skiers,
  resortDays: [],
  firstScannedAt,
});

/** One ride of each skier and transaction that is asked for, as if every such pair had one. */
const ridesOf = ({ skiers, xids }: StoredBy) =>
  skiers.flatMap(({ skierId }) => xids.map((xid) => ({ skierId, xid }) as StoredRide));

const settled = () => new Promise<void>((done) => setImmediate(done));

/** A node whose reads end when the test says so. */
function startStream() {
  const reads: { of: StoredBy; answer: () => Promise<void>; fail: () => Promise<void> }[] = [];
  const told: string[] = [];
  const upTo: string[] = [];
  const stream = new NodeStream(
    {
      shardOf: (skierId) => (LISTENED.has(skierId) ? skierId % 2 : undefined),
      read: (of) => {
        const { promise, resolve, reject } = Promise.withResolvers<StoredRide[]>();
        reads.push({
          of,
          answer: () => (resolve(ridesOf(of)), settled()),
          fail: () => (reject(new Error('away')), settled()),
        });
        return promise;
      },
      tell: (rides, state) => {
        told.push(...rides.map(({ skierId, xid }) => `${skierId}/${xid}`));
        upTo.push(state.text);
      },
      logger: quiet,
    },
    stateAt(10),
  );
  return { stream, reads, told, upTo };
}

describe('what a node stores for those who listen', () => {
  test('only skiers to whom somebody listens are read; without any the state is told at once', () => {
    const { stream, reads } = startStream();
    expect(stream.hear(stateAt(20), [writeOf(15, [7, 8])])).toBe(true);
    expect(stream.told.text).toBe('20:20:');
    stream.hear(stateAt(30), [writeOf(25, [1, 7]), writeOf(26, [2])]);
    expect(reads.map(({ of }) => of)).toEqual([
      {
        skiers: [
          { skierId: 1, shard: 1 },
          { skierId: 2, shard: 0 },
        ],
        xids: ['25', '26'],
        firstScannedAt: 25,
      },
    ]);
    expect(stream.told.text).toBe('20:20:');
  });

  test('one read at a time, of everything that was heard of meanwhile', async () => {
    const { stream, reads, told, upTo } = startStream();
    stream.hear(stateAt(20), [writeOf(15, [1])]);
    stream.hear(stateAt(30), [writeOf(25, [2])]);
    stream.hear(stateAt(40), [writeOf(35, [2], null)]);
    expect(reads).toHaveLength(1);
    await reads[0]?.answer();
    expect(told).toEqual(['1/15']);
    expect(stream.told.text).toBe('20:20:');
    expect(reads[1]?.of).toEqual({ skiers: [{ skierId: 2, shard: 0 }], xids: ['25', '35'], firstScannedAt: null });
    await reads[1]?.answer();
    expect(upTo).toEqual(['20:20:', '40:40:']);
    expect(stream.told.text).toBe('40:40:');
  });

  test('what could not be read is read after the next poll, and until then nothing counts as told', async () => {
    const { stream, reads, told } = startStream();
    stream.hear(stateAt(20), [writeOf(15, [1])]);
    await reads[0]?.fail();
    expect([reads.length, stream.told.text]).toEqual([1, '10:10:']);
    stream.hear(stateAt(30), [writeOf(25, [2])]);
    await reads[1]?.answer();
    expect(new Set(told)).toEqual(new Set(['1/15', '2/25', '1/25', '2/15']));
    expect(stream.told.text).toBe('30:30:');
  });

  test('too much that can not be read is given up, and said', async () => {
    const { stream, reads } = startStream();
    stream.hear(stateAt(20), [writeOf(15, [1])]);
    const many = Array.from({ length: 20_000 }, (_, i) => writeOf(100 + i, [1]));
    expect(stream.hear(stateAt(200_000), many)).toBe(true);
    expect(stream.hear(stateAt(200_001), [writeOf(200_000, [1])])).toBe(false);
    await reads[0]?.answer();
  });

  test('after its end it tells nothing', async () => {
    const { stream, reads, told } = startStream();
    stream.hear(stateAt(20), [writeOf(15, [1])]);
    stream.end();
    await reads[0]?.answer();
    expect(told).toEqual([]);
  });

  test('whatever fails in between, everything is told before its state is', async () => {
    const polls = fc.array(fc.record({ skiers: fc.subarray([1, 2, 3, 7]), fails: fc.boolean() }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(polls, async (all) => {
        const { stream, reads, told } = startStream();
        const due: string[] = [];
        for (const [i, { skiers, fails }] of [...all, { skiers: [1], fails: false }].entries()) {
          const xid = 100 + i;
          due.push(...skiers.filter((skierId) => LISTENED.has(skierId)).map((skierId) => `${skierId}/${xid}`));
          stream.hear(stateAt(xid + 1), [writeOf(xid, skiers)]);
          await reads.splice(0).at(-1)?.[fails ? 'fail' : 'answer']();
        }
        while (reads.length > 0) await reads.splice(0).at(-1)?.answer();
        expect(due.filter((one) => !told.includes(one))).toEqual([]);
        expect(stream.told.text).toBe(stateAt(100 + all.length + 1).text);
      }),
    );
  });
});
