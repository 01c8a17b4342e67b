import { expect, test } from 'vitest';
import { Acks, type Answer } from '../../loadtest/asof/acks.ts';
import { questionOf, questions } from '../../loadtest/asof/questions.ts';
import { subjectsOf } from '../../loadtest/asof/subjects.ts';
import { seededRandom } from '../../src/simulator/random.ts';

const NOON = Date.UTC(2025, 11, 24, 12);
const answer = (changes: Partial<Answer>): Answer => ({
  source: 'rides-0',
  subject: 'skier 1',
  asOf: NOON,
  isStale: false,
  holds: [],
  ...changes,
});

/** Scans a and b of one skier, c of another, all at one resort. */
function sentByTwo(): Acks {
  const acks = new Acks();
  acks.sent('a', ['skier 1', 'resort 1']);
  acks.sent('b', ['skier 1', 'resort 1']);
  acks.sent('c', ['skier 2', 'resort 1']);
  return acks;
}
const kinds = (acks: Acks, changes: Partial<Answer>) => acks.lies(answer(changes)).map(({ kind }) => kind);

test('an answer must hold what was acked until its asOf, and may hold more', () => {
  const acks = sentByTwo();
  acks.confirmed('a', NOON);
  acks.confirmed('b', NOON + 1);
  acks.confirmed('c', NOON);
  expect(kinds(acks, { holds: ['a'] })).toEqual([]);
  expect(kinds(acks, { holds: ['a', 'b'] })).toEqual([]);
  expect(kinds(acks, { holds: [] })).toEqual(['missing']);
  expect(kinds(acks, { asOf: NOON + 1, holds: ['a'] })).toEqual(['missing']);
  expect(kinds(acks, { asOf: NOON - 1 })).toEqual([]);
  expect(kinds(acks, { asOf: null })).toEqual([]);
  expect([acks.acked, acks.lastAt]).toEqual([3, NOON + 1]);
});

test('a count must be at least what was acked until its asOf, and at most what was sent', () => {
  const acks = sentByTwo();
  acks.confirmed('a', NOON);
  acks.confirmed('c', NOON);
  const ofResort = (changes: Partial<Answer>) => kinds(acks, { subject: 'resort 1', ...changes });
  expect(ofResort({ holds: 1 })).toEqual(['missing']);
  expect(ofResort({ holds: 2 })).toEqual([]);
  expect(ofResort({ holds: 3 })).toEqual([]);
  expect(ofResort({ holds: 4 })).toEqual(['phantom']);
  expect(ofResort({ holds: 0, asOf: NOON - 1 })).toEqual([]);
  expect(kinds(acks, { subject: 'skier 3', holds: 1 })).toEqual(['phantom']);
});

test('of several acks of a scan the earliest counts; what was not acked may be there or not', () => {
  const acks = sentByTwo();
  acks.sent('a', ['skier 1', 'resort 1']);
  acks.confirmed('a', NOON + 9);
  acks.confirmed('a', NOON);
  expect(kinds(acks, { holds: ['b'] })).toEqual(['missing']);
  expect(kinds(acks, { holds: ['a', 'b'] })).toEqual([]);
  expect(kinds(acks, { holds: 3 })).toEqual(['phantom']);
  expect(acks.acked).toBe(1);
});

test('what was never sent, or is there twice, is a lie', () => {
  const acks = sentByTwo();
  expect(kinds(acks, { holds: ['a', 'a'] })).toEqual(['twice']);
  expect(kinds(acks, { holds: ['c'] })).toEqual(['phantom']);
  expect(() => acks.confirmed('x', NOON)).toThrow('never sent');
});

test('a scan is asked for by its skier and by the local day of its resort', () => {
  // resort 3 is in the Alps: already the 25th there
  const subjects = subjectsOf({ skierId: 7, resortId: 3, scannedAt: '2025-12-24T23:30:00Z' });
  expect(subjects).toEqual(['skier 7', 'resort 3 on 2025-12-25']);
  expect(subjects.map((subject) => questionOf(subject).path)).toEqual([
    '/v1/skiers/7/rides?limit=200',
    '/v1/resorts/3/days/2025-12-25',
  ]);
});

test('every kind of answer is asked for, and read as it is', () => {
  const asked = questions(seededRandom('kinds'), { skiers: 1, resorts: 1 });
  const some = Array.from({ length: 200 }, () => asked.next().value);
  const onPath = (end: RegExp) => some.find(({ path }) => end.test(path));
  expect(onPath(/rides\?/)?.read({ rides: [{ eventId: 'a' }], nextCursor: null })).toEqual(['a']);
  expect(onPath(/days\?/)?.read({ days: [{ rides: 2 }, { rides: 3 }], nextCursor: null })).toBe(5);
  expect(onPath(/seasons$/)?.read({ seasons: [{ rides: 2 }] })).toBe(2);
  expect(onPath(/resorts\/1\/days/)?.read({ rides: 4 })).toBe(4);
  expect(() => onPath(/rides\?/)?.read({ rides: [], nextCursor: 'more' })).toThrow('nextCursor');
});
