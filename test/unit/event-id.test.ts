import * as fc from 'fast-check';
import { validate, version } from 'uuid';
import { describe, expect, test } from 'vitest';
import { deriveEventId, isUuid } from '../../src/domain/scan.ts';

describe('deriveEventId', () => {
  // computed by an implementation in another language: a change would make retried posts new rides
  test.each([
    [['ride', 1, 2022, 1, 42, 7, 217], '4d03b339-0074-8eeb-9e88-50a3bfc8ceb0'],
    [['a', 'b'], 'f04cdced-9736-869d-a610-3f08a4daaf8c'],
    [[], 'e3b0c442-98fc-8c14-9afb-f4c8996fb924'],
  ])('of %j is %s', (fields, eventId) => {
    expect(deriveEventId(...fields)).toBe(eventId);
  });

  test('is a UUID of version 8 in lower case', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer(), fc.string())), (fields) => {
        const eventId = deriveEventId(...fields);
        expect([validate(eventId), version(eventId), isUuid(eventId)]).toEqual([true, 8, true]);
        expect(eventId).toBe(eventId.toLowerCase());
      }),
    );
  });

  test('tells fields apart, also by where one ends and the next begins', () => {
    const all = [
      deriveEventId(1, 23),
      deriveEventId(12, 3),
      deriveEventId(123),
      deriveEventId(1, 2, 3),
      deriveEventId(3, 2, 1),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

test.each([
  ['0192f0c1-7a5b-7c3d-8e9f-0123456789ab', true],
  ['0192F0C1-7A5B-7C3D-8E9F-0123456789AB', true],
  ['0192f0c17a5b7c3d8e9f0123456789ab', false],
  ['{0192f0c1-7a5b-7c3d-8e9f-0123456789ab}', false],
  ['0192f0c1-7a5b-7c3d-8e9f-0123456789ab\n', false],
  ['', false],
])('isUuid(%j) is %s', (text, expected) => {
  expect(isUuid(text)).toBe(expected);
});
