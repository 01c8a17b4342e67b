import { describe, expect, it } from 'vitest';
import { compareSkier } from '../../src/simulator/comparison.ts';
import type { StoredDay, StoredRide } from '../../src/simulator/history-api.ts';
import { type SimulatedRide, Tally } from '../../src/simulator/tally.ts';

const ride = (n: number): SimulatedRide => ({
  skierId: 7,
  liftId: n,
  atMs: n,
  eventId: `ours-${n}`,
  scannedAtMs: 1_000 + n,
  verticalM: n * 10,
});
const stored = ({ eventId, liftId, scannedAtMs, verticalM }: SimulatedRide): StoredRide => ({
  eventId,
  resortId: 1,
  liftId,
  scannedAtMs,
  verticalM,
});
const dayOf = (rides: StoredRide[]): StoredDay[] =>
  rides.length === 0
    ? []
    : [{ resortId: 1, rides: rides.length, verticalM: rides.reduce((sum, { verticalM }) => sum + verticalM, 0) }];
const planned = [ride(1), ride(2), ride(3)];

/** rides 1 and 2 acked, ride 3 not sent */
function compare(rides: StoredRide[], days = dayOf(rides), tally = ackedTally(1, 2)) {
  return compareSkier(
    planned,
    (each) => tally.outcomeOf(each),
    { skierId: 7, rides, days },
    {
      resortId: 1,
      isOurs: (eventId) => eventId.startsWith('ours-'),
    },
  ).map(({ kind, detail }) => `${kind}: ${detail}`);
}

function ackedTally(...acked: number[]): Tally {
  const tally = new Tally();
  for (const n of acked) {
    tally.noteSent([ride(n)]);
    tally.note(ride(n), { outcome: 'acked' });
  }
  return tally;
}

describe('what a skier sees against what was acked', () => {
  const both = [stored(ride(1)), stored(ride(2))];

  it('agrees when everything acked is there, once', () => {
    expect(compare(both)).toEqual([]);
  });

  it('names a ride that was acked and is not there', () => {
    expect(compare([stored(ride(1))])).toEqual([expect.stringMatching(/^lost: ours-2, lift 2/)]);
  });

  it('takes an unsent or unconfirmed ride either way', () => {
    const tally = ackedTally(1, 2);
    tally.noteSent([ride(3)]);
    expect(compare(both, dayOf(both), tally)).toEqual([]);
    const all = [...both, stored(ride(3))];
    expect(compare(all, dayOf(all), tally)).toEqual([]);
    expect(compare(all)).toEqual([]);
  });

  it('names a refused ride that is there', () => {
    const tally = ackedTally(1, 2);
    tally.noteSent([ride(3)]);
    tally.note(ride(3), { outcome: 'refused', reason: '422' });
    const all = [...both, stored(ride(3))];
    expect(compare(all, dayOf(all), tally)).toEqual([expect.stringMatching(/^refused: ours-3/)]);
  });

  it('names a ride that is there twice, under our ids but unplanned, or with other fields', () => {
    const twice = [...both, stored(ride(1))];
    expect(compare(twice)).toEqual(['twice: ours-1, 2 times']);
    const phantom = [...both, stored(ride(9))];
    expect(compare(phantom)).toEqual([expect.stringMatching(/^phantom: ours-9/)]);
    const altered = [{ ...stored(ride(1)), liftId: 5 }, stored(ride(2))];
    expect(compare(altered)).toEqual(['altered: ours-1: liftId sent 1, stored 5']);
  });

  it('leaves rides of other origin alone, but wants them counted', () => {
    const others = [...both, { ...stored(ride(1)), eventId: 'theirs', resortId: 2 }];
    const days = [...dayOf(both), { resortId: 2, rides: 1, verticalM: 10 }];
    expect(compare(others, days)).toEqual([]);
    expect(compare(others, dayOf(both))).toEqual(['total: resort 2: 1 rides of 10 m listed, 0 of 0 m counted']);
  });

  it('names totals that are not those of the rides', () => {
    expect(compare(both, [{ resortId: 1, rides: 3, verticalM: 30 }])).toEqual([
      'total: resort 1: 2 rides of 30 m listed, 3 of 30 m counted',
    ]);
  });
});

describe('the tally', () => {
  it('counts distinct outcomes, and an ack outlives a later refusal', () => {
    const tally = ackedTally(1);
    tally.noteSent([ride(1), ride(2)]);
    tally.note(ride(1), { outcome: 'refused', reason: '422 invalid' });
    tally.note(ride(2), { outcome: 'unconfirmed', reason: '503', retryAfterMs: 0 });
    expect(tally.outcomeOf(ride(1))).toBe('acked');
    expect([tally.count('acked'), tally.count('refused'), tally.count('unknown')]).toEqual([1, 0, 1]);
    expect(tally.sent).toBe(3);
    expect(tally.reasons()).toEqual([
      { reason: '422 invalid', count: 1 },
      { reason: '503', count: 1 },
    ]);
  });
});
