import { type Context, Hono } from 'hono';
import { routePath } from 'hono/route';
import { describeRoute } from 'hono-openapi';
import type { HttpEnv } from '../platform/http-common.ts';
import type { RidesOptions } from './options.ts';
import type { ReadAt } from '../shards/read-at.ts';
import type { ScanFate } from '../shards/scan-fate.ts';
import { readAfter } from './after.ts';
import { SKIERS } from './at-once.ts';
import { seasonsOf, skierQuestion } from './cache/skier-question.ts';
import { allowReading } from './caller.ts';
import { tokenOfPosition } from './changes-token.ts';
import { dayCursorOf, readDayCursor, readRideCursor, rideCursorOf } from './cursor.ts';
import { giveAnswer, PRIVATE_HEADERS } from './give-answer.ts';
import { answerNewRides } from './new-rides-answer.ts';
import { type Query, readDate, readDateRange, readFilters, readId, readLimit, readSeasons, single } from './query.ts';
import { dayJson, rideJson, skierDayJson } from './represent.ts';
import type { DaysContent, RidesContent, SkierSeasonsContent } from './shapes.ts';
import { DAY, DAYS, RIDES, SEASONS } from './skier-docs.ts';

/** A skier's own history, under `/v1/skiers`. */
export function skierRoutes(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('/v1/skiers/:skierId/rides', describeRoute(RIDES), (c) => {
    if (!c.req.url.includes('changedSince=')) {
      const load = (skierId: number) => ridesOf(o, skierId, c.req.queries());
      return answerSkier(c, o, { seasons: () => seasonsIn(c), load });
    }
    return admit(c, o, (skierId, after) => answerNewRides(c, o, { skierId, after }));
  });
  app.get('/v1/skiers/:skierId/days', describeRoute(DAYS), (c) =>
    answerSkier(c, o, {
      seasons: () => seasonsIn(c),
      load: (skierId) => daysOf(o, skierId, c.req.queries()),
    }),
  );
  app.get('/v1/skiers/:skierId/days/:date', describeRoute(DAY), (c) => {
    const date = readDate(c.req.param('date'), 'date');
    return answerSkier(c, o, {
      seasons: () => seasonsOf(date, o.directory.snapshot()),
      async load(skierId) {
        const { found, at } = await o.history.day(skierId, date);
        return { at, content: skierDayJson(date, found, o.directory.snapshot().resorts) };
      },
    });
  });
  app.get('/v1/skiers/:skierId/seasons', describeRoute(SEASONS), (c) =>
    answerSkier(c, o, { load: (skierId) => totalsOf(o, skierId) }),
  );
  return app;
}

type Loaded<Content extends object> = Promise<{ at: ReadAt; content: Content; unmarked?: object }>;

interface SkierRead {
  /** see `SkierAsk` */
  seasons?: () => readonly number[] | undefined;
  load: (skierId: number) => Loaded<object>;
}

type Give = (skierId: number, after: ScanFate['status'] | undefined) => Response | Promise<Response>;

/** Gives an answer to who may have it, after the scan that they wait for: at once, where the caller is known. */
function admit(context: Context<HttpEnv>, o: RidesOptions, give: Give): Response | Promise<Response> {
  const skierId = readId(context.req.param('skierId') ?? '', 'skierId');
  const answer = (): Response | Promise<Response> => {
    const after = context.req.url.includes('after=') ? readAfter(context.req.queries(), skierId) : undefined;
    if (!after) return give(skierId, undefined);
    return o.waiting.for(after, context.req.raw.signal).then((status) => give(skierId, status));
  };
  return allowReading(context, skierId, o)?.then(answer) ?? answer();
}

/** At once too, where the answer is kept. */
function answerSkier(
  context: Context<HttpEnv>,
  o: RidesOptions,
  { seasons, load }: SkierRead,
): Response | Promise<Response> {
  const { url } = context.req;
  return admit(context, o, (skierId, after) => {
    const path = url.slice(url.indexOf(SKIERS) + SKIERS.length);
    const what = after === undefined ? path : withoutAfter(path);
    const ask = { skierId, what, seasons: seasons?.(), route: routePath(context, -1) };
    const question = skierQuestion(o.changes, ask, () => load(skierId));
    return giveAnswer(context, question, { cache: o.cache, headers: PRIVATE_HEADERS, after });
  });
}

/** What was waited for is in the answer, which is so one to the same question without it: whoever asks next is not to see less. */
function withoutAfter(path: string): string {
  const [where = '', query] = path.split('?');
  const rest = new URLSearchParams(query);
  for (const name of ['after', 'wait']) rest.delete(name);
  return rest.size === 0 ? where : `${where}?${rest.toString()}`;
}

/** One more than asked for is read: it tells whether there is a next page. */
async function ridesOf(o: RidesOptions, skierId: number, query: Query): Loaded<RidesContent> {
  const { resorts } = o.directory.snapshot();
  const limit = readLimit(query);
  const cursor = single(query, 'cursor');
  const { found, at } = await o.history.rides(skierId, {
    ...readFilters(query, resorts),
    ...readDateRange(query),
    limit: limit + 1,
    ...(cursor === undefined ? {} : { before: readRideCursor(cursor) }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = last && found.length > limit ? rideCursorOf(last) : null;
  const content = { rides: page.map((ride) => rideJson(ride, resorts)), nextCursor };
  return { at, content, unmarked: { changesToken: cursor === undefined ? tokenOfPosition(at.position) : null } };
}

async function daysOf(o: RidesOptions, skierId: number, query: Query): Loaded<DaysContent> {
  const limit = readLimit(query);
  const cursor = single(query, 'cursor');
  const { found, at } = await o.history.days(skierId, {
    ...readFilters(query, o.directory.snapshot().resorts),
    limit: limit + 1,
    ...(cursor === undefined ? {} : { before: readDayCursor(cursor) }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = last && found.length > limit ? dayCursorOf(last) : null;
  return { at, content: { days: page.map(dayJson), nextCursor } };
}

async function totalsOf(o: RidesOptions, skierId: number): Loaded<SkierSeasonsContent> {
  const { found, at } = await o.history.seasons(skierId);
  const seasons = found.map((totals) => ({ ...totals, season: String(totals.season) }));
  return { at, content: { seasons } };
}

/** @returns the seasons that the query asks for alone, if it does; at once for the usual one, which does not */
function seasonsIn(context: Context<HttpEnv>): number[] | undefined {
  return context.req.url.includes('season=') ? readSeasons(context.req.queries()) : undefined;
}
