import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import type { HttpEnv } from '../platform/http-common.ts';
import type { RidesOptions } from './options.ts';
import { allowReading } from './caller.ts';
import { dayCursorOf, readDayCursor, readRideCursor, rideCursorOf } from './cursor.ts';
import { readDate, readDateRange, readId, readLimit, readResorts, readSeasons, single } from './query.ts';
import { asOfText, dayJson, rideJson, skierDayJson } from './represent.ts';
import type { DaysPage, RidesPage, SkierSeasons } from './shapes.ts';
import { DAY, DAYS, RIDES, SEASONS } from './skier-docs.ts';

/** A skier's own history, under `/v1/skiers`. */
export function skierRoutes(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('/v1/skiers/:skierId/rides', describeRoute(RIDES), async (c) => {
    const skierId = readId(c.req.param('skierId'), 'skierId');
    await allowReading(c, skierId, o);
    return c.json(await ridesOf(o, skierId, c.req.queries()));
  });
  app.get('/v1/skiers/:skierId/days', describeRoute(DAYS), async (c) => {
    const skierId = readId(c.req.param('skierId'), 'skierId');
    await allowReading(c, skierId, o);
    return c.json(await daysOf(o, skierId, c.req.queries()));
  });
  app.get('/v1/skiers/:skierId/days/:date', describeRoute(DAY), async (c) => {
    const skierId = readId(c.req.param('skierId'), 'skierId');
    await allowReading(c, skierId, o);
    const date = readDate(c.req.param('date'), 'date');
    const answer = await o.history.day(skierId, date);
    return c.json(skierDayJson(date, answer, o.directory.snapshot().resorts));
  });
  app.get('/v1/skiers/:skierId/seasons', describeRoute(SEASONS), async (c) => {
    const skierId = readId(c.req.param('skierId'), 'skierId');
    await allowReading(c, skierId, o);
    return c.json(await seasonsOf(o, skierId));
  });
  return app;
}

/** One more than asked for is read: it tells whether there is a next page. */
async function ridesOf(o: RidesOptions, skierId: number, query: Record<string, string[]>): Promise<RidesPage> {
  const { resorts } = o.directory.snapshot();
  const limit = readLimit(query);
  const cursor = single(query, 'cursor');
  const { found, at } = await o.history.rides(skierId, {
    ...filtersOf(query, resorts),
    ...readDateRange(query),
    limit: limit + 1,
    ...(cursor === undefined ? {} : { before: readRideCursor(cursor) }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    asOf: asOfText(at.asOf),
    rides: page.map((ride) => rideJson(ride, resorts)),
    nextCursor: last && found.length > limit ? rideCursorOf(last) : null,
  };
}

async function daysOf(o: RidesOptions, skierId: number, query: Record<string, string[]>): Promise<DaysPage> {
  const limit = readLimit(query);
  const cursor = single(query, 'cursor');
  const { found, at } = await o.history.days(skierId, {
    ...filtersOf(query, o.directory.snapshot().resorts),
    limit: limit + 1,
    ...(cursor === undefined ? {} : { before: readDayCursor(cursor) }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = last && found.length > limit ? dayCursorOf(last) : null;
  return { asOf: asOfText(at.asOf), days: page.map(dayJson), nextCursor };
}

async function seasonsOf(o: RidesOptions, skierId: number): Promise<SkierSeasons> {
  const { found, at } = await o.history.seasons(skierId);
  const seasons = found.map((totals) => ({ ...totals, season: String(totals.season) }));
  return { asOf: asOfText(at.asOf), seasons };
}

function filtersOf(
  query: Record<string, string[]>,
  known: ReadonlyMap<number, unknown>,
): { resorts?: number[]; seasons?: number[] } {
  const resorts = readResorts(query, (resortId) => known.has(resortId));
  const seasons = readSeasons(query);
  return { ...(resorts === undefined ? {} : { resorts }), ...(seasons === undefined ? {} : { seasons }) };
}
