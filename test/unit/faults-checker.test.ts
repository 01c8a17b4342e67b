import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BenchScan } from '../../loadtest/bench/scans.ts';
import { compareScans, type StoredScan } from '../../loadtest/faults/checker-compare.ts';
import { Notes, scanKey } from '../../loadtest/faults/checker-notes.ts';
import { shardOf } from '../../src/domain/shard.ts';

const SHARDS = 4;
/** shards 0 and 2 on alpha, 1 and 3 on beta */
const PLACEMENT = ['alpha', 'beta', 'alpha', 'beta'];

/** Where it belongs, unless fields say otherwise. */
function row(key: string, skierId: number, fields: Partial<StoredScan> = {}): StoredScan {
  const shard = shardOf(skierId, SHARDS);
  return { key, skierId, shard, node: PLACEMENT[shard] as string, ...fields };
}

/** how many of some are not among others */
function without(some: Iterable<string>, others: Iterable<string>): number {
  const known = new Set(others);
  return [...some].filter((key) => !known.has(key)).length;
}

const SENT = new Map([
  ['acked', true],
  ['unknown', false],
]);
const WELL = { stored: 1, lost: 0, phantom: 0, duplicate: 0, misplaced: 0, unknown: 1, examples: [] };

describe('what was sent against what is stored', () => {
  test('an acked scan that is stored where it belongs is well; an unknown one may be stored or not', () => {
    expect(compareScans(SENT, [row('acked', 7)], PLACEMENT)).toEqual(WELL);
    expect(compareScans(SENT, [row('acked', 7), row('unknown', 8)], PLACEMENT)).toEqual({ ...WELL, stored: 2 });
  });

  test('an acked scan without a row is lost', () => {
    expect(compareScans(SENT, [row('unknown', 8)], PLACEMENT)).toEqual({ ...WELL, lost: 1, examples: ['lost: acked'] });
  });

  test('a row that nobody sent is a phantom', () => {
    const rows = [row('acked', 7), row('invented', 9)];
    expect(compareScans(SENT, rows, PLACEMENT)).toMatchObject({ stored: 2, lost: 0, phantom: 1 });
  });

  test('a second row of a scan is a duplicate, wherever it is', () => {
    const rows = [row('acked', 7), row('acked', 7)];
    expect(compareScans(SENT, rows, PLACEMENT)).toMatchObject({ stored: 2, duplicate: 1, misplaced: 0 });
  });

  test('a row on another shard, or on a node that has not its shard, is misplaced', () => {
    const { shard, node } = row('acked', 7);
    const otherShard = row('acked', 7, { shard: (shard + 2) % SHARDS });
    const otherNode = row('acked', 7, { node: node === 'alpha' ? 'beta' : 'alpha' });
    for (const astray of [otherShard, otherNode])
      expect(compareScans(SENT, [astray], PLACEMENT)).toMatchObject({ lost: 0, misplaced: 1 });
  });

  test('many of a kind: all are counted, some are shown', () => {
    const sent = new Map(Array.from({ length: 50 }, (_, at) => [`scan ${at}`, true]));
    const { lost, examples } = compareScans(sent, [], PLACEMENT);
    expect(lost).toBe(50);
    expect(examples).toEqual(['lost: scan 0', 'lost: scan 1', 'lost: scan 2']);
  });

  test('lost, phantom and duplicate are differences of sets, whatever the sets', () => {
    const keys = fc.array(fc.integer({ min: 1, max: 30 }).map(String));
    fc.assert(
      fc.property(keys, keys, keys, (acked, unknown, stored) => {
        const sent = new Map<string, boolean>();
        for (const key of unknown) sent.set(key, false);
        for (const key of acked) sent.set(key, true);
        const rows = stored.map((key) => row(key, Number(key)));
        expect(compareScans(sent, rows, PLACEMENT)).toMatchObject({
          stored: stored.length,
          lost: without(new Set(acked), stored),
          phantom: without(stored, sent.keys()),
          duplicate: stored.length - new Set(stored).size,
          misplaced: 0,
          unknown: without(new Set(unknown), acked),
        });
      }),
    );
  });
});

function scan(number: number): BenchScan {
  return {
    eventId: `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`,
    resortId: 1,
    liftId: 2,
    skierId: 3,
    scannedAt: '2026-01-10T09:00:00.000Z',
  };
}

function keyOf(number: number): string {
  return scanKey({ ...scan(number), scannedAtMs: Date.UTC(2026, 0, 10, 9), deviceId: 5 });
}

describe('notes of a load', () => {
  test('a scan is attempted once, acked once, and stays acked; every confirmation counts', () => {
    const notes = new Notes(5);
    notes.attempted([scan(1), scan(2)]);
    notes.unconfirmed('503 queue_unavailable', 2);
    notes.attempted([scan(1)]);
    notes.acked(scan(1));
    notes.acked(scan(1));
    notes.attempted([scan(1)]);
    expect(notes.scans).toEqual(
      new Map([
        [keyOf(1), true],
        [keyOf(2), false],
      ]),
    );
    expect(notes.progress()).toEqual({
      attempted: 2,
      acked: 1,
      confirmations: 2,
      rejected: 0,
      unconfirmed: { '503 queue_unavailable': 2 },
    });
  });

  test('every field tells scans apart', () => {
    const original = { ...scan(1), scannedAtMs: 1_000, deviceId: 5 };
    const others = [
      { ...original, eventId: scan(2).eventId },
      { ...original, skierId: 4 },
      { ...original, resortId: 2 },
      { ...original, liftId: 3 },
      { ...original, scannedAtMs: 1_001 },
      { ...original, deviceId: 6 },
    ];
    expect(new Set([original, ...others].map(scanKey)).size).toBe(others.length + 1);
  });
});
