import { inArray, sql } from 'drizzle-orm';
import { ResortCalendar } from '../domain/calendar.ts';
import type { Directory, DirectoryQueries } from './database.ts';
import { ResortFileError } from './resort-file.ts';
import { lifts, resorts, seasons } from './schema.ts';
import type { ResortRow } from './snapshot.ts';

/**
 * Adds resorts, or brings those that exist up to date: all of them or none. Lifts and seasons that the file does not name
 * stay, since stored rides do name them; what a stored day was computed from (time zone, season starts) can't change.
 *
 * @param file what {@link readResortFile} has checked, or the samples
 * @returns how many of each the file holds
 * @throws ResortFileError with every contradiction to what the directory holds; Problem `directory_unavailable`
 */
export async function importResorts(
  directory: Directory,
  file: ResortRow[],
): Promise<{ resorts: number; lifts: number; seasons: number }> {
  await directory.change(async (db) => {
    const problems = await contradictions(db, file);
    if (problems.length > 0) throw new ResortFileError(problems);
    await upsertResorts(db, file);
    for (const resort of file) {
      await upsertLifts(db, resort);
      await addSeasons(db, resort);
    }
  });
  return {
    resorts: file.length,
    lifts: file.reduce((sum, resort) => sum + resort.lifts.length, 0),
    seasons: file.reduce((sum, resort) => sum + resort.seasons.length, 0),
  };
}

async function contradictions(db: DirectoryQueries, file: ResortRow[]): Promise<string[]> {
  const ids = new Set(file.map(({ resortId }) => resortId));
  const known = await db.select().from(resorts);
  const declared = await db
    .select()
    .from(seasons)
    .where(inArray(seasons.resortId, [...ids]));
  const knownById = new Map(known.map((resort) => [resort.resortId, resort]));
  const ownerOfName = new Map(known.filter(({ resortId }) => !ids.has(resortId)).map((other) => [other.name, other]));
  return file.flatMap((resort, i) => {
    const at = `resorts[${i}]`;
    const owner = ownerOfName.get(resort.name);
    const before = declared.filter(({ resortId }) => resortId === resort.resortId);
    return [
      ...(owner ? [`${at}.name: "${resort.name}" is the name of resort ${owner.resortId}`] : []),
      ...changedCalendar(at, knownById.get(resort.resortId), resort),
      ...changedSeasons(at, { known: knownById.get(resort.resortId), declared: before }, resort),
    ];
  });
}

function changedCalendar(at: string, known: typeof resorts.$inferSelect | undefined, resort: ResortRow): string[] {
  if (!known) return [];
  return (['timeZone', 'seasonStartsOn'] as const)
    .filter((field) => known[field] !== resort[field])
    .map((field) => `${at}.${field}: is ${known[field]} and can't change, since the days of stored rides depend on it`);
}

function changedSeasons(
  at: string,
  { known, declared }: { known: typeof resorts.$inferSelect | undefined; declared: ResortRow['seasons'] },
  resort: ResortRow,
): string[] {
  const startOf = new Map(declared.map(({ season, startsOn }) => [season, startsOn]));
  const before = known && new ResortCalendar({ ...known, seasons: declared });
  const changed = resort.seasons.flatMap(({ season, startsOn }, i) => {
    const since = startOf.get(season);
    const field = `${at}.seasons[${i}].startsOn`;
    if (since !== undefined && since !== startsOn)
      return [`${field}: season ${season} starts on ${since} and can't change`];
    const tooLate = before?.whyTooLate(season, startsOn, Date.now());
    return tooLate === undefined ? [] : [`${field}: ${tooLate}`];
  });
  if (changed.length > 0) return changed;
  const merged = new Map([...declared, ...resort.seasons].map((entry) => [entry.season, entry]));
  const calendar = new ResortCalendar({ ...resort, seasons: [...merged.values()] });
  return calendar.problems().map((problem) => `${at}.seasons: ${problem}`);
}

async function upsertResorts(db: DirectoryQueries, file: ResortRow[]): Promise<void> {
  const rows = file.map(({ lifts: _lifts, seasons: _seasons, ...row }) => row);
  await db
    .insert(resorts)
    .values(rows)
    .onConflictDoUpdate({
      target: resorts.resortId,
      set: { name: sql`excluded.name`, opensAt: sql`excluded.opens_at`, closesAt: sql`excluded.closes_at` },
    });
}

async function upsertLifts(db: DirectoryQueries, resort: ResortRow): Promise<void> {
  const rows = resort.lifts.map((lift) => ({ ...lift, resortId: resort.resortId }));
  await db
    .insert(lifts)
    .values(rows)
    .onConflictDoUpdate({
      target: [lifts.resortId, lifts.liftId],
      set: { name: sql`excluded.name`, verticalM: sql`excluded.vertical_m` },
    });
}

async function addSeasons(db: DirectoryQueries, resort: ResortRow): Promise<void> {
  if (resort.seasons.length === 0) return;
  const rows = resort.seasons.map((entry) => ({ ...entry, resortId: resort.resortId }));
  await db.insert(seasons).values(rows).onConflictDoNothing();
}
