import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { laneOf, MAX_SKIER_ID, shardOf, shardSchema } from '../../src/domain/shard.ts';

/** Computed by an implementation of MurmurHash3's fmix32 in another language. They must never change. */
const VECTORS: [skierId: number, of64: number, of1024: number][] = [
  [1, 55, 183],
  [2, 6, 774],
  [3, 39, 39],
  [7, 4, 708],
  [42, 28, 348],
  [100, 42, 234],
  [1000, 24, 600],
  [65535, 39, 615],
  [65536, 34, 354],
  [99999, 3, 67],
  [100000, 30, 734],
  [123456789, 26, 154],
  [1073741824, 60, 828],
  [2147483646, 54, 246],
  [2147483647, 40, 680],
];

/** Chi-squared of how many of the ids each of 64 shards gets: about 63 when they spread like dice. */
function chiSquared(ids: number[]): number {
  const counts = Array.from({ length: 64 }, () => 0);
  for (const id of ids) counts[shardOf(id, 64)] = (counts[shardOf(id, 64)] as number) + 1;
  const expected = ids.length / 64;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe('shardOf', () => {
  test.each(VECTORS)('skier %i lives on shard %i of 64 and %i of 1024', (skierId, of64, of1024) => {
    expect([shardOf(skierId, 64), shardOf(skierId, 1024)]).toEqual([of64, of1024]);
  });

  test('is a shard, always the same one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_SKIER_ID }), fc.integer({ min: 1, max: 1024 }), (skierId, count) => {
        const shard = shardOf(skierId, count);
        expect(Number.isInteger(shard) && shard >= 0 && shard < count).toBe(true);
        expect(shardOf(skierId, count)).toBe(shard);
      }),
    );
  });

  // 130 is passed by one fair set of dice in a million
  test.each([
    ['1 to 100,000', 1, 1],
    ['even ids', 2, 2],
    ['multiples of 64', 64, 64],
    ['the last ones there are', MAX_SKIER_ID - 99_999, 1],
    ['ids in steps of 4,096', 5, 4_096],
  ])('spreads %s evenly', (_what, from, step) => {
    expect(chiSquared(Array.from({ length: 100_000 }, (_, i) => from + i * step))).toBeLessThan(130);
  });
});

test('a lane carries the same shards for ever', () => {
  expect(Array.from({ length: 8 }, (_, shard) => laneOf(shard, 4))).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
});

test.each([
  [0, 'shard_00'],
  [7, 'shard_07'],
  [63, 'shard_63'],
  [1023, 'shard_1023'],
])('shard %i is schema %s', (shard, schema) => {
  expect(shardSchema(shard)).toBe(schema);
});
