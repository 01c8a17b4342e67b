import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedText, type PgSnapshot, parseSnapshot, sees, seesAllOf } from '../../src/shards/pg-snapshot.ts';

const snapshot: fc.Arbitrary<PgSnapshot> = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(20), fc.uniqueArray(fc.nat(40)))
  .map(([xmin, more, xids]) => {
    const xmax = xmin + more;
    return { xmin, xmax, xip: xids.filter((xid) => xid >= xmin && xid < xmax).toSorted((a, b) => a - b) };
  });
const text = ({ xmin, xmax, xip }: PgSnapshot) => `${xmin}:${xmax}:${xip.join(',')}`;
const ALL = Array.from({ length: 50 }, (_, xid) => xid);

describe('a snapshot of Postgres', () => {
  test('is read as it is written, and other text is none', () => {
    fc.assert(
      fc.property(snapshot, (one) => {
        expect(parseSnapshot(text(one))).toEqual(one);
      }),
    );
    const noText = ['', '1:2', '1:2:3:4', 'a:b:', '1:2:3,', '-1:2:', '1:2:,3'];
    const noSense = ['0:2:', '3:2:', '3:5:2', '3:5:5', '3:9:5,4', '3:9:4,4', '1:9007199254740992:'];
    for (const other of [...noText, ...noSense]) expect(parseSnapshot(other)).toBeUndefined();
  });

  test('of many transactions under way becomes short, and sees nothing that it did not see', () => {
    const long = `7:900:${ALL.map((xid) => xid + 100).join(',')}`;
    expect(boundedText(long)).toBe('7:7:');
    fc.assert(
      fc.property(snapshot, (one) => {
        const short = parseSnapshot(boundedText(text(one)));
        expect(ALL.filter((xid) => short && sees(short, xid) && !sees(one, xid))).toEqual([]);
      }),
    );
    expect(boundedText('7:900:8,9')).toBe('7:900:8,9');
  });

  test('sees what had ended when it was taken', () => {
    expect(ALL.filter((xid) => sees({ xmin: 3, xmax: 8, xip: [3, 6] }, xid))).toEqual([0, 1, 2, 4, 5, 7]);
  });

  test('sees all of another one exactly when there is no transaction that only that one sees', () => {
    fc.assert(
      fc.property(snapshot, snapshot, (one, other) => {
        const missing = ALL.filter((xid) => sees(other, xid) && !sees(one, xid));
        expect(seesAllOf(one, other)).toBe(missing.length === 0);
      }),
    );
  });
});
