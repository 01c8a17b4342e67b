import type { Resort } from '../directory/snapshot.ts';
import type { SeasonVerticalRow } from '../shards/history-rows.ts';
import type { Answer } from '../shards/read-at.ts';
import type { AnswerCache, Question } from './cache/answer-cache.ts';
import { contentOf } from './cache/kept-answer.ts';
import { seasonsOf, type SkierAsk, skierQuestion } from './cache/skier-question.ts';
import type { RidesOptions } from './options.ts';
import { dayJson, skierDayJson } from './represent.ts';
import { resortDayQuestion } from './resort-routes.ts';
import type { DayJson, ResortDayContent, SkierDayContent, SkierSeasonsContent } from './shapes.ts';

/** Up to when something is complete, milliseconds since the epoch, null when nobody knows; stale: it may be outdated, its node is away. */
export interface Freshness {
  asOf: number | null;
  isStale: boolean;
}

/** What was read, now or earlier. */
export interface Told<T> extends Freshness {
  content: T;
}

/** What the pages and the SkiDataAPI read, kept as the answers under `/v1` are. All throw Problem `node_unavailable`. */
export interface KeptReads {
  /** newest first */
  seasons(skierId: number): Promise<Told<SkierSeasonsContent>>;
  /** every day of a season, newest first */
  days(skierId: number, season: number): Promise<Told<{ days: DayJson[] }>>;
  day(skierId: number, date: string): Promise<Told<SkierDayContent>>;
  resortDay(resort: Resort, date: string): Promise<Told<ResortDayContent>>;
  /** metres, or null when nothing is stored */
  dayVertical(
    skierId: number,
    resortId: number,
    season: number,
    day: number,
  ): Promise<Told<{ verticalM: number | null }>>;
  /** newest first; all seasons unless some are named */
  verticalBySeason(
    skierId: number,
    resortIds: number[],
    seasons?: number[],
  ): Promise<Told<{ seasons: SeasonVerticalRow[] }>>;
}

/** A season has 366 days at most, and nobody skis at more than a few resorts on each. */
const MAX_DAYS = 2_000;

export function keptReads(o: Pick<RidesOptions, 'history' | 'directory' | 'changes' | 'cache'>): KeptReads {
  const { history, directory, changes, cache } = o;
  const ofSkier = <Found, Content extends object>(
    ask: SkierAsk,
    read: () => Promise<Answer<Found>>,
    toContent: (found: Found) => Content,
  ): Promise<Told<Content>> => {
    const question = skierQuestion(changes, { ...ask, what: `read: ${ask.what}` }, async () => {
      const { found, at } = await read();
      return { at, content: toContent(found) };
    });
    return answer(cache, question);
  };
  return {
    seasons: (skierId) =>
      ofSkier(
        { skierId, what: 'seasons' },
        () => history.seasons(skierId),
        (found) => ({ seasons: found.map((totals) => ({ ...totals, season: String(totals.season) })) }),
      ),
    days: (skierId, season) =>
      ofSkier(
        { skierId, what: `season ${season}`, seasons: [season] },
        () => history.days(skierId, { seasons: [season], limit: MAX_DAYS }),
        (found) => ({ days: found.map(dayJson) }),
      ),
    day: (skierId, date) =>
      ofSkier(
        { skierId, what: `day ${date}`, seasons: seasonsOf(date, directory.snapshot()) },
        () => history.day(skierId, date),
        (found) => skierDayJson(date, found, directory.snapshot().resorts),
      ),
    resortDay: (resort, date) => answer(cache, resortDayQuestion(o, resort, date)),
    dayVertical: (skierId, resortId, season, day) =>
      ofSkier(
        { skierId, what: `vertical of ${resortId}/${season}/${day}`, seasons: [season] },
        () => history.dayVertical(skierId, resortId, season, day),
        (verticalM) => ({ verticalM }),
      ),
    verticalBySeason: (skierId, resortIds, seasons) =>
      ofSkier(
        { skierId, what: `vertical at ${resortIds.join()} in ${seasons?.join() ?? 'all'}`, seasons },
        () => history.verticalBySeason(skierId, resortIds, seasons),
        (found) => ({ seasons: found }),
      ),
  };
}

/** @param question whose content is a `Content` */
async function answer<Read, Content>(cache: AnswerCache, question: Question<Read>): Promise<Told<Content>> {
  const { kept, asOf, isStale } = cache.current(question.key) ?? (await cache.fill(question));
  return { content: contentOf(kept) as Content, asOf, isStale };
}

/** @returns whether any is stale, and up to when all are complete */
export function together(told: readonly Freshness[]): Freshness {
  const times = told.map(({ asOf }) => asOf);
  const asOf = times.every((time) => time !== null) ? Math.min(...times) : null;
  return { asOf, isStale: told.some(({ isStale }) => isStale) };
}
