import { describe, expect, test } from 'vitest';
import { Problem, type ProblemCode } from '../../src/domain/problem.ts';
import { readDate, readDateRange, readId, readLimit, readResorts, readSeasons, single } from '../../src/rides/query.ts';

function codeOf(read: () => unknown): ProblemCode | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return undefined;
}

const isKnown = (resortId: number) => resortId < 10;

describe('the values of a query', () => {
  test.each([
    ['', 'malformed'],
    ['abc', 'malformed'],
    ['1.5', 'malformed'],
    ['1e3', 'malformed'],
    ['0x10', 'malformed'],
    [' 5', 'malformed'],
    ['5\0', 'malformed'],
    ['99999999999999999999', 'malformed'],
    ['0', 'invalid'],
    ['-1', 'invalid'],
    ['201', 'invalid'],
  ] as const)('limit=%j is %s', (limit, code) => {
    expect(codeOf(() => readLimit({ limit: [limit] }))).toBe(code);
  });

  test('limit is 50 unless given, and 1 to 200', () => {
    expect([readLimit({}), readLimit({ limit: ['1'] }), readLimit({ limit: ['200'] })]).toEqual([50, 1, 200]);
  });

  test.each([
    ['0', 'invalid'],
    ['2147483648', 'invalid'],
    ['-5', 'invalid'],
    ['seven', 'malformed'],
  ] as const)('an id of %s is %s', (id, code) => {
    expect(codeOf(() => readId(id, 'skierId'))).toBe(code);
  });

  test.each([
    ['2025-02-30', 'invalid'],
    ['2025-02-29', 'invalid'],
    ['2025-13-01', 'invalid'],
    ['0000-01-01', 'invalid'],
    ['9999-01-01', 'invalid'],
    ['2025-1-1', 'malformed'],
    ['20250101', 'malformed'],
    ['2025-01-01T00:00:00Z', 'malformed'],
    ['today', 'malformed'],
    ['', 'malformed'],
  ] as const)('the date %j is %s', (date, code) => {
    expect(codeOf(() => readDate(date, 'from'))).toBe(code);
  });

  test('Feb 29 of a leap year exists', () => {
    expect(readDate('2024-02-29', 'from')).toBe('2024-02-29');
  });

  test('a range is inclusive, may be open, and is not the wrong way round', () => {
    expect(readDateRange({ from: ['2025-01-01'], to: ['2025-01-01'] })).toEqual({
      from: '2025-01-01',
      to: '2025-01-01',
    });
    expect(readDateRange({ to: ['2025-01-01'] })).toEqual({ to: '2025-01-01' });
    expect(readDateRange({})).toEqual({});
    expect(codeOf(() => readDateRange({ from: ['2025-01-02'], to: ['2025-01-01'] }))).toBe('invalid');
  });

  test('resorts and seasons may repeat, each counts once', () => {
    expect(readResorts({ resort: ['1', '2', '1'] }, isKnown)).toEqual([1, 2]);
    expect(readResorts({}, isKnown)).toBeUndefined();
    expect(codeOf(() => readResorts({ resort: ['1', '77'] }, isKnown))).toBe('unknown_resort');
    expect(codeOf(() => readResorts({ resort: ['abc'] }, isKnown))).toBe('malformed');
    expect(codeOf(() => readResorts({ resort: Array.from({ length: 101 }, () => '1') }, isKnown))).toBe('invalid');
    expect(readSeasons({ season: ['2025', '2024'] })).toEqual([2025, 2024]);
    expect(codeOf(() => readSeasons({ season: ['1989'] }))).toBe('invalid');
    expect(codeOf(() => readSeasons({ season: ['next'] }))).toBe('malformed');
  });

  test('what may come once must not repeat', () => {
    expect(single({ cursor: ['a'] }, 'cursor')).toBe('a');
    expect(codeOf(() => single({ cursor: ['a', 'b'] }, 'cursor'))).toBe('malformed');
  });
});
