import { describe, expect, test } from 'vitest';
import { RESORT_FILE_EXAMPLE, ResortFileError, readResortFile } from '../../src/directory/resort-file.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import type { ResortRow } from '../../src/directory/snapshot.ts';

const resort: ResortRow = {
  resortId: 11,
  name: 'Piz Sura',
  timeZone: 'Europe/Zurich',
  opensAt: '08:30',
  closesAt: '16:30',
  seasonStartsOn: '11-01',
  seasons: [{ season: 2026, startsOn: '2026-11-01' }],
  lifts: [
    { liftId: 1, name: 'Sura Express', verticalM: 420 },
    { liftId: 2, name: 'Plaun', verticalM: 0 },
  ],
};
const file = (...resorts: unknown[]) => JSON.stringify({ resorts });

function problemsOf(text: string): string[] {
  try {
    readResortFile(text);
    return [];
  } catch (error) {
    if (error instanceof ResortFileError) return error.problems;
    throw error;
  }
}

test('a good file is taken as it is', () => {
  expect(readResortFile(file(resort))).toEqual([resort]);
});

test('the samples are such a file, and so is the example of the help', () => {
  expect(readResortFile(RESORT_FILE_EXAMPLE)).toHaveLength(1);
  expect(readResortFile(file(...sampleResorts()))).toEqual(sampleResorts());
});

test('every problem is listed with its path, across resorts and kinds of problem', () => {
  const text = file(
    { ...resort, timeZone: 'Europe/Atlantis', lifts: [{ liftId: 0, name: 'A', verticalM: 1 }, { liftId: 1 }] },
    { ...resort, opensAt: '8:30' },
    resort,
    { ...resort, resortId: 12, seasons: [{ season: 2026, startsOn: '2027-10-31' }] },
  );
  expect(problemsOf(text)).toEqual([
    'resorts[0].timeZone: must be an IANA time zone, like Europe/Zurich',
    expect.stringMatching(/^resorts\[0\]\.lifts\[0\]\.liftId: /),
    expect.stringMatching(/^resorts\[0\]\.lifts\[1\]\.name: /),
    expect.stringMatching(/^resorts\[0\]\.lifts\[1\]\.verticalM: /),
    'resorts[1].opensAt: must be a local time, HH:MM',
    'resorts[3].name: "Piz Sura" is taken by resorts[2].name',
    'resorts[3].seasons: season 2025 would last 729 days, from 2025-11-01 to 2027-10-31',
  ]);
});

describe('a file is refused', () => {
  test.each<[string, string, RegExp]>([
    ['that is not JSON', '{"resorts": [', /^not JSON: /],
    ['that is a list', '[]', /expected object/],
    ['that is null', 'null', /expected object/],
    ['without resorts', '{}', /^resorts: /],
    ['with no resort', file(), /^resorts: /],
    ['with more than resorts', JSON.stringify({ resorts: [resort], nodes: [] }), /nodes/],
    ['with a resort that is a number', file(1), /^resorts\[0\]: /],
    ['with an unknown field', file({ ...resort, altitude: 3 }), /^resorts\[0\]: .*altitude/],
    ['with a resort without lifts', file({ ...resort, lifts: [] }), /^resorts\[0\]\.lifts: /],
    ['with an id beyond integers', file({ ...resort, resortId: 2 ** 31 }), /^resorts\[0\]\.resortId: /],
    ['with an id that is text', file({ ...resort, resortId: '11' }), /^resorts\[0\]\.resortId: /],
    ['with a fraction of an id', file({ ...resort, resortId: 1.5 }), /^resorts\[0\]\.resortId: /],
    ['with an empty name', file({ ...resort, name: '' }), /^resorts\[0\]\.name: /],
    ['with a NUL in a name', file({ ...resort, name: 'Piz\u0000Sura' }), /^resorts\[0\]\.name: must not hold control/],
    ['with a space around a name', file({ ...resort, name: ' Piz Sura' }), /^resorts\[0\]\.name: must not begin/],
    ['with an offset as time zone', file({ ...resort, timeZone: '+01:00' }), /^resorts\[0\]\.timeZone: /],
    ['that opens at 24:00', file({ ...resort, opensAt: '24:00' }), /^resorts\[0\]\.opensAt: /],
    ['that closes before it opens', file({ ...resort, closesAt: '08:30' }), /^resorts\[0\]\.closesAt: must be later/],
    ['with seasons from Feb 29', file({ ...resort, seasonStartsOn: '02-29' }), /^resorts\[0\]\.seasonStartsOn: /],
    [
      'with a season from Feb 30',
      file({ ...resort, seasons: [{ season: 2026, startsOn: '2026-02-30' }] }),
      /^resorts\[0\]\.seasons\[0\]\.startsOn: /,
    ],
    [
      'with season 1989',
      file({ ...resort, seasons: [{ season: 1989, startsOn: '1989-11-01' }] }),
      /^resorts\[0\]\.seasons\[0\]\.season: /,
    ],
    [
      'with a season twice',
      file({ ...resort, seasons: [...resort.seasons, ...resort.seasons] }),
      /^resorts\[0\]\.seasons\[1\]\.season: 2026 is taken by resorts\[0\]\.seasons\[0\]\.season/,
    ],
    [
      'with a lift twice',
      file({ ...resort, lifts: [...resort.lifts, ...resort.lifts] }),
      /^resorts\[0\]\.lifts\[2\]\.liftId: 1 is taken by resorts\[0\]\.lifts\[0\]\.liftId/,
    ],
    [
      'with a lift of 10,001 m',
      file({ ...resort, lifts: [{ liftId: 1, name: 'A', verticalM: 10_001 }] }),
      /verticalM: /,
    ],
    ['with a resort twice', file(resort, { ...resort, name: 'Other' }), /^resorts\[1\]\.resortId: 11 is taken by/],
  ])('%s', (_what, text, problem) => {
    expect(problemsOf(text)[0]).toMatch(problem);
  });
});
