import { expect, test } from 'vitest';
import { Acks, type HistoryAnswer } from '../../loadtest/asof/acks.ts';

const NOON = Date.UTC(2025, 11, 24, 12);
const answer = (changes: Partial<HistoryAnswer>): HistoryAnswer => ({
  source: 'rides-0',
  skierId: 1,
  asOf: NOON,
  isStale: false,
  eventIds: [],
  ...changes,
});

function sentByTwo(): Acks {
  const acks = new Acks();
  for (const [skierId, eventId] of [
    [1, 'a'],
    [1, 'b'],
    [2, 'c'],
  ] as const)
    acks.sent(skierId, eventId);
  return acks;
}
const kinds = (acks: Acks, one: HistoryAnswer) => acks.lies(one).map(({ kind }) => kind);

test('an answer must hold what was acked until its asOf, and may hold more', () => {
  const acks = sentByTwo();
  acks.confirmed(1, 'a', NOON);
  acks.confirmed(1, 'b', NOON + 1);
  acks.confirmed(2, 'c', NOON);
  expect(kinds(acks, answer({ eventIds: ['a'] }))).toEqual([]);
  expect(kinds(acks, answer({ eventIds: ['a', 'b'] }))).toEqual([]);
  expect(kinds(acks, answer({ eventIds: [] }))).toEqual(['missing']);
  expect(kinds(acks, answer({ asOf: NOON + 1, eventIds: ['a'] }))).toEqual(['missing']);
  expect(kinds(acks, answer({ asOf: NOON - 1 }))).toEqual([]);
  expect(kinds(acks, answer({ asOf: null }))).toEqual([]);
  expect(acks.acked).toBe(3);
});

test('of several acks of a scan the earliest counts; what was not acked may be there or not', () => {
  const acks = sentByTwo();
  acks.confirmed(1, 'a', NOON + 9);
  acks.confirmed(1, 'a', NOON);
  expect(kinds(acks, answer({ eventIds: ['b'] }))).toEqual(['missing']);
  expect(kinds(acks, answer({ eventIds: ['a', 'b'] }))).toEqual([]);
  expect(acks.acked).toBe(1);
});

test('what was never sent, or is there twice, is a lie', () => {
  const acks = sentByTwo();
  expect(kinds(acks, answer({ eventIds: ['a', 'a'] }))).toEqual(['twice']);
  expect(kinds(acks, answer({ eventIds: ['c'] }))).toEqual(['phantom']);
  expect(() => acks.confirmed(1, 'x', NOON)).toThrow('never sent');
});
