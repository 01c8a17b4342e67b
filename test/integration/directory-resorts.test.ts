import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Directory, openDirectory } from '../../src/directory/database.ts';
import { declareSeason } from '../../src/directory/declare-season.ts';
import { importResorts } from '../../src/directory/import-resorts.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { listResorts } from '../../src/directory/list-resorts.ts';
import { loadSnapshot } from '../../src/directory/load-snapshot.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import type { ResortRow } from '../../src/directory/snapshot.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';

const NODES = [{ name: 'node-a', url: 'postgres://a.example/a' }];
let lifecycle: Lifecycle;
let database: TestDatabase;
let directory: Directory;

beforeEach(async () => {
  lifecycle = new Lifecycle({ logger: recordedLog().logger });
  database = await freshDatabase();
  await initDirectory({ directoryUrl: database.url, nodes: NODES, shardCount: 4, laneCount: 2 });
  directory = openDirectory({ url: database.url, lifecycle });
});

afterEach(async () => {
  await lifecycle.stop(5_000);
  await database.drop();
});

const resort = (changed: Partial<ResortRow> = {}): ResortRow => ({
  resortId: 11,
  name: 'Piz Sura',
  timeZone: 'Europe/Zurich',
  opensAt: '08:30',
  closesAt: '16:30',
  seasonStartsOn: '11-01',
  seasons: [{ season: 2026, startsOn: '2026-11-01' }],
  lifts: [{ liftId: 1, name: 'Sura Express', verticalM: 420 }],
  ...changed,
});

describe('importResorts', () => {
  test('the samples come back as they went in', async () => {
    expect(await importResorts(directory, sampleResorts())).toEqual({ resorts: 10, lifts: 400, seasons: 30 });
    expect(await listResorts(directory)).toEqual(sampleResorts());
    const samples = sampleSnapshot({ shardCount: 4, laneCount: 2, nodes: NODES, devices: [] });
    const loaded = await loadSnapshot(directory);
    expect({ ...loaded, version: 1 }).toEqual({ ...samples, installation: loaded.installation });
    expect(loaded.resorts.get(1)?.calendar.declaredSeasons).toEqual([2024, 2025, 2026]);
  });

  test('again changes nothing but the version', async () => {
    await importResorts(directory, [resort()]);
    await importResorts(directory, [resort()]);
    expect(await listResorts(directory)).toEqual([resort()]);
  });

  test('updates what may change, adds what is new, keeps what is not named', async () => {
    await importResorts(directory, [resort()]);
    const changed = {
      name: 'Piz Sura Nord',
      opensAt: '09:00',
      closesAt: '17:00',
      seasons: [{ season: 2027, startsOn: '2027-11-01' }],
      lifts: [{ liftId: 2, name: 'Plaun', verticalM: 90 }],
    };
    await importResorts(directory, [resort(changed)]);
    expect(await listResorts(directory)).toEqual([
      resort({
        ...changed,
        seasons: [...resort().seasons, ...changed.seasons],
        lifts: [...resort().lifts, ...changed.lifts],
      }),
    ]);
    await importResorts(directory, [resort({ lifts: [{ liftId: 1, name: 'Sura 6er', verticalM: 425 }] })]);
    expect((await listResorts(directory))[0]?.lifts[0]).toEqual({ liftId: 1, name: 'Sura 6er', verticalM: 425 });
  });

  test('two resorts can swap their names', async () => {
    await importResorts(directory, [resort(), resort({ resortId: 12, name: 'Alp Nera' })]);
    await importResorts(directory, [resort({ name: 'Alp Nera' }), resort({ resortId: 12 })]);
    expect((await listResorts(directory)).map(({ name }) => name)).toEqual(['Alp Nera', 'Piz Sura']);
  });

  test('lists every contradiction and writes nothing', async () => {
    await importResorts(directory, [resort(), resort({ resortId: 12, name: 'Alp Nera' })]);
    const before = await loadSnapshot(directory);
    const file = [
      resort({ resortId: 13, name: 'New' }),
      resort({ timeZone: 'Europe/Rome', seasonStartsOn: '10-01', seasons: [] }),
      resort({ resortId: 14, name: 'Alp Nera' }),
      resort({ name: 'Renamed', seasons: [{ season: 2026, startsOn: '2026-10-31' }] }),
    ];
    await expect(importResorts(directory, file)).rejects.toMatchObject({
      name: 'ResortFileError',
      problems: [
        expect.stringMatching(/^resorts\[1\]\.timeZone: is Europe\/Zurich and can't change/),
        expect.stringMatching(/^resorts\[1\]\.seasonStartsOn: is 11-01 and can't change/),
        expect.stringMatching(/^resorts\[1\]\.seasons: season 2025 would last 396 days/),
        'resorts[2].name: "Alp Nera" is the name of resort 12',
        "resorts[3].seasons[0].startsOn: season 2026 starts on 2026-11-01 and can't change",
      ],
    });
    expect(await loadSnapshot(directory)).toEqual(before);
  });
});

describe('declareSeason', () => {
  beforeEach(async () => {
    await importResorts(directory, [resort()]);
  });

  test('on a day of its own', async () => {
    const declared = await declareSeason(directory, { resortId: 11, season: 2090, startsOn: '2090-10-31' });
    expect(declared).toEqual({ startsOn: '2090-10-31', isNew: true });
    expect((await loadSnapshot(directory)).resorts.get(11)?.calendar.dayOf('2090-10-31')).toEqual({
      season: 2090,
      day: 1,
    });
  });

  test('on the usual day, when none is given', async () => {
    expect(await declareSeason(directory, { resortId: 11, season: 2019 })).toEqual({
      startsOn: '2019-11-01',
      isNew: true,
    });
  });

  test('again is fine, with the same start or none', async () => {
    const known = { startsOn: '2026-11-01', isNew: false };
    expect(await declareSeason(directory, { resortId: 11, season: 2026 })).toEqual(known);
    expect(await declareSeason(directory, { resortId: 11, season: 2026, startsOn: '2026-11-01' })).toEqual(known);
  });

  test('another start is refused', async () => {
    const other = declareSeason(directory, { resortId: 11, season: 2026, startsOn: '2026-10-31' });
    await expect(other).rejects.toMatchObject({ code: 'conflict' });
  });

  test('another start than the usual one is refused once the season has begun: rides are stored by that', async () => {
    const late = { resortId: 11, season: 2024, startsOn: '2024-10-31' };
    await expect(declareSeason(directory, late)).rejects.toMatchObject({ code: 'conflict' });
    const { season, startsOn } = late;
    await expect(importResorts(directory, [resort({ seasons: [{ season, startsOn }] })])).rejects.toMatchObject({
      problems: [expect.stringMatching(/^resorts\[0\]\.seasons\[0\]\.startsOn: season 2024 can't start on 2024-10-31/)],
    });
    await importResorts(directory, [resort({ resortId: 12, name: 'Alp Nera', seasons: [{ season, startsOn }] })]);
    expect((await loadSnapshot(directory)).resorts.get(12)?.calendar.startOf(2024)).toBe('2024-10-31');
  });

  test('two at once with different starts: one is refused', async () => {
    const starts = ['2090-10-31', '2090-11-01'];
    const results = await Promise.allSettled(
      starts.map((startsOn) => declareSeason(directory, { resortId: 11, season: 2090, startsOn })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test.each<[string, { resortId: number; season: number; startsOn?: string }, string]>([
    ['an unknown resort', { resortId: 12, season: 2027 }, 'not_found'],
    ['a resort that is no id', { resortId: 0, season: 2027 }, 'invalid'],
    ['season 1989', { resortId: 11, season: 1989 }, 'invalid'],
    ['season 2101', { resortId: 11, season: 2101 }, 'invalid'],
    ['half a season', { resortId: 11, season: 2027.5 }, 'invalid'],
    ['Feb 30', { resortId: 11, season: 2027, startsOn: '2027-02-30' }, 'invalid'],
    ['a start that leaves a season too long', { resortId: 11, season: 2090, startsOn: '2090-12-24' }, 'invalid'],
  ])('%s is refused', async (_what, declaration, code) => {
    await expect(declareSeason(directory, declaration)).rejects.toMatchObject({ code });
  });
});
