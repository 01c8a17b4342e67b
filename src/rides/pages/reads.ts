import type { Resort } from '../../directory/snapshot.ts';
import type { Answer } from '../../shards/read-at.ts';
import type { AnswerCache, Question } from '../cache/answer-cache.ts';
import { contentOf } from '../cache/kept-answer.ts';
import { seasonsOf, type SkierAsk, skierQuestion } from '../cache/skier-question.ts';
import type { RidesOptions } from '../options.ts';
import { dayJson, skierDayJson } from '../represent.ts';
import { resortDayQuestion } from '../resort-routes.ts';
import type { DayJson, ResortDayContent, SkierDayContent, SkierSeasonsContent } from '../shapes.ts';

/** Up to when something is complete, milliseconds since the epoch, null when nobody knows; stale: it may be outdated, its node is away. */
export interface Freshness {
  asOf: number | null;
  isStale: boolean;
}

/** What a page was made from. */
export interface Told<T> extends Freshness {
  content: T;
}

/** What the pages read: what the routes under `/v1` answer, kept as those are. All throw Problem `node_unavailable`. */
export interface PageReads {
  /** newest first */
  seasons(skierId: number): Promise<Told<SkierSeasonsContent>>;
  /** every day of a season, newest first */
  days(skierId: number, season: number): Promise<Told<{ days: DayJson[] }>>;
  day(skierId: number, date: string): Promise<Told<SkierDayContent>>;
  resortDay(resort: Resort, date: string): Promise<Told<ResortDayContent>>;
}

/** A season has 366 days at most, and nobody skis at more than a few resorts on each. */
const MAX_DAYS = 2_000;

export function pageReads(o: Pick<RidesOptions, 'history' | 'directory' | 'changes' | 'cache'>): PageReads {
  const { history, directory, changes, cache } = o;
  const ofSkier = <Found, Content extends object>(
    ask: SkierAsk,
    read: () => Promise<Answer<Found>>,
    toContent: (found: Found) => Content,
  ): Promise<Told<Content>> => {
    const question = skierQuestion(changes, { ...ask, what: `page: ${ask.what}` }, async () => {
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
