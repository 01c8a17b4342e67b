import { asc } from 'drizzle-orm';
import type { Directory } from './database.ts';
import { lifts, resorts, seasons } from './schema.ts';
import type { ResortRow } from './snapshot.ts';

/** @returns every resort by id, in the format of a file of resorts; @throws Problem `directory_unavailable` */
export async function listResorts(directory: Directory): Promise<ResortRow[]> {
  return directory.read(async (db) => {
    const all = await db.select().from(resorts).orderBy(asc(resorts.resortId));
    const liftsOf = Map.groupBy(await db.select().from(lifts).orderBy(asc(lifts.liftId)), ({ resortId }) => resortId);
    const seasonRows = await db.select().from(seasons).orderBy(asc(seasons.season));
    const seasonsOf = Map.groupBy(seasonRows, ({ resortId }) => resortId);
    return all.map((resort) => ({
      ...resort,
      seasons: (seasonsOf.get(resort.resortId) ?? []).map(({ season, startsOn }) => ({ season, startsOn })),
      lifts: (liftsOf.get(resort.resortId) ?? []).map(({ liftId, name, verticalM }) => ({ liftId, name, verticalM })),
    }));
  });
}
