import { expect, test } from 'vitest';
import { classify, isExpected, sqlStateOf } from '../../src/shards/sqlstates.ts';

/** as pg makes them of an answer of Postgres */
const answer = (code: string, constraint?: string) =>
  Object.assign(new Error(`error ${code}`), { severity: 'ERROR', code, constraint });
/** as Node makes them of a connection */
const broken = (code: string) => Object.assign(new Error(code), { code });

test.each(['22003', '22007', '22008', '22P02', '22P05', '22021', '23502', '23503'])('%s lies in the row', (code) => {
  expect(classify(answer(code))).toBe('permanent');
});

test('23514 with the name of a constraint lies in the row, without one the map is stale', () => {
  expect(classify(answer('23514', 'season_day'))).toBe('permanent');
  expect(classify(answer('23514'))).toBe('stale-map');
});

test.each(['42P01', '3F000'])('%s: the leaf that a reader named is gone', (code) => {
  expect(classify(answer(code))).toBe('stale-map');
});

test.each([
  '08006',
  '08003',
  '40001',
  '40P01',
  '53100',
  '53200',
  '53300',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '58030',
  '25006',
])('%s is tried again, and is nothing to look into', (code) => {
  expect(classify(answer(code))).toBe('transient');
  expect(isExpected(answer(code))).toBe(true);
});

test.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND'])('%s is tried again', (code) => {
  expect(classify(broken(code))).toBe('transient');
  expect(isExpected(broken(code))).toBe(true);
  expect(sqlStateOf(broken(code))).toBeUndefined();
});

test.each([
  answer('42703'),
  answer('23505'),
  answer('XX000'),
  answer('P0001'),
  new TypeError('a defect of ours'),
  'text',
])('what nobody thought of is tried again, never dropped, and somebody must look: %s', (error) => {
  expect(classify(error)).toBe('transient');
  expect(isExpected(error)).toBe(false);
});

test('an error inside of another one is found', () => {
  expect(classify(new Error('query failed', { cause: answer('23514', 'season_day') }))).toBe('permanent');
});
