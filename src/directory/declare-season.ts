import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { MAX_SEASON, MIN_SEASON, ResortCalendar } from '../domain/calendar.ts';
import { Problem } from '../domain/problem.ts';
import type { Directory, DirectoryQueries } from './database.ts';
import { inputProblems } from './input-problems.ts';
import { resorts, seasons } from './schema.ts';

const MAX_ID = 2_147_483_647;

const declarationSchema = z.object({
  resortId: z.int().min(1).max(MAX_ID),
  season: z.int().min(MIN_SEASON).max(MAX_SEASON),
  startsOn: z.iso.date().optional(),
});

/**
 * Declares a season of a resort. Its start is final: rides are stored under the day that follows from it. Declaring the
 * same again changes nothing.
 *
 * @param o.season the year that names it, 1990 to 2100
 * @param o.startsOn local date, YYYY-MM-DD; without one the season starts as it was declared, or on the resort's usual day
 * @returns the start, and whether the season was new
 * @throws Problem `invalid` for a season or date out of range, or one that would leave a season with no day or more than
 *   366; `not_found` for an unknown resort; `conflict` when it was declared with another start,
 *   or has begun by its usual one; `directory_unavailable`
 */
export async function declareSeason(
  directory: Directory,
  o: { resortId: number; season: number; startsOn?: string },
): Promise<{ startsOn: string; isNew: boolean }> {
  const parsed = declarationSchema.safeParse(o);
  if (!parsed.success) throw new Problem('invalid', inputProblems(parsed.error).join('; '));
  const { resortId, season, startsOn: wanted } = parsed.data;
  return directory.change(async (db) => {
    const { resort, declared } = await findResort(db, resortId);
    const known = declared.find((entry) => entry.season === season);
    if (known && (wanted ?? known.startsOn) !== known.startsOn) {
      throw new Problem('conflict', `season ${season} starts on ${known.startsOn} and can't change`);
    }
    if (known) return { startsOn: known.startsOn, isNew: false };
    const startsOn = wanted ?? `${season}-${resort.seasonStartsOn}`;
    const tooLate = new ResortCalendar({ ...resort, seasons: declared }).whyTooLate(season, startsOn, Date.now());
    if (tooLate !== undefined) throw new Problem('conflict', tooLate);
    refuseImpossible({ ...resort, seasons: [...declared, { season, startsOn }] });
    await db.insert(seasons).values({ resortId, season, startsOn });
    return { startsOn, isNew: true };
  });
}

async function findResort(db: DirectoryQueries, resortId: number) {
  const [resort] = await db.select().from(resorts).where(eq(resorts.resortId, resortId));
  if (!resort) throw new Problem('not_found', `there is no resort ${resortId}`);
  const declared = await db.select().from(seasons).where(eq(seasons.resortId, resortId));
  return { resort, declared };
}

function refuseImpossible(rules: ConstructorParameters<typeof ResortCalendar>[0]): void {
  const problems = new ResortCalendar(rules).problems();
  if (problems.length > 0) throw new Problem('invalid', problems.join('; '));
}
