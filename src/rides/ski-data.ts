import { type Context, Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { MAX_SEASON, MAX_SEASON_DAYS, MIN_SEASON } from '../domain/calendar.ts';
import { Problem, type ProblemCode } from '../domain/problem.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import type { Resort } from '../directory/snapshot.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { pathParameter, queryParameter, type RouteDoc, routeDoc } from '../platform/openapi.ts';
import { answerSkiDataErrors, readWhole, skiDataError } from '../platform/ski-data-errors.ts';
import type { RidesOptions } from './options.ts';
import { allowReading } from './caller.ts';
import { addFreshness, ANSWER_HEADERS, PRIVATE_HEADERS } from './give-answer.ts';
import { type Freshness, type KeptReads, keptReads } from './kept-reads.ts';
import { type Query, repeated } from './query.ts';
import { asOfText } from './represent.ts';
import { endpointStats } from './statistics.ts';

const INTEGER = { type: 'integer' };
const RESORT = pathParameter('resortID', INTEGER);
const SKIER = pathParameter('skierID', INTEGER);
const SEASON = pathParameter('seasonID', { type: 'string' });
const DAY = pathParameter('dayID', { type: 'string' }, '1 to 366');
const STRINGS = { type: 'array', items: { type: 'string' } };
const WHOLE = /^\d{1,15}$/;

function doc(summary: string, rest: Pick<RouteDoc, 'reply' | 'replyHeaders' | 'parameters' | 'audience' | 'problems'>) {
  return describeRoute(routeDoc({ summary, tag: 'SkiDataAPI', errorSchema: skiDataError, ...rest }));
}

const MISSES: ProblemCode[] = ['malformed', 'not_found', 'node_unavailable'];
const PRIVATE: ProblemCode[] = [...MISSES, 'unauthorized', 'forbidden', 'identity_unavailable'];

/** The reads of SkiDataAPI 2.0. What is a skier's needs the same credentials as under `/v1`; what is a resort's is public. */
export function skiDataReads(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError(answerSkiDataErrors(o.logger));
  skierReads(app, o, keptReads(o));
  resortReads(app, o);
  app.get(
    '/statistics',
    doc('Response times of this process', {
      reply: z.object({
        endpointStats: z.array(z.object({ URL: z.string(), operation: z.string(), mean: z.int(), max: z.int() })),
      }),
    }),
    (c) => c.json({ endpointStats: endpointStats(o.metrics.endpoints()) }),
  );
  return app;
}

function skierReads(app: Hono<HttpEnv>, o: RidesOptions, reads: KeptReads): void {
  const allow = (context: Context<HttpEnv>, skierId: number) =>
    o.skiDataApi === 'open' ? Promise.resolve() : allowReading(context, skierId, o);
  app.get(
    '/skiers/:resortID/seasons/:seasonID/days/:dayID/skiers/:skierID',
    doc('A skier’s vertical on one day', {
      parameters: [RESORT, SEASON, DAY, SKIER],
      reply: z.int(),
      replyHeaders: ANSWER_HEADERS,
      audience: ['skierToken', 'adminKey'],
      problems: PRIVATE,
    }),
    async (c) => {
      const { skierID, resortID, seasonID, dayID } = c.req.param();
      const skierId = readWhole(skierID, 'skierID', 1, MAX_SKIER_ID);
      await allow(c, skierId);
      const { resortId } = resortById(o, resortID);
      const told = await reads.dayVertical(skierId, resortId, readSeason(seasonID), readDay(dayID));
      const { verticalM } = told.content;
      if (verticalM === null) throw new Problem('not_found', 'nothing is stored for this skier and day');
      return c.json(verticalM, 200, headersOf(told));
    },
  );
  app.get(
    '/skiers/:skierID/vertical',
    doc('A skier’s vertical by season', {
      parameters: [
        SKIER,
        queryParameter('resort', STRINGS, 'id or name; may repeat', true),
        queryParameter('season', STRINGS, 'may repeat; absent means all'),
      ],
      reply: z.object({ resorts: z.array(z.object({ seasonID: z.string(), totalVert: z.int() })) }),
      replyHeaders: ANSWER_HEADERS,
      audience: ['skierToken', 'adminKey'],
      problems: PRIVATE,
    }),
    async (c) => {
      const skierId = readWhole(c.req.param('skierID'), 'skierID', 1, MAX_SKIER_ID);
      await allow(c, skierId);
      const told = await askVertical(o, reads, { skierId, query: c.req.queries() });
      const { seasons } = told.content;
      if (seasons.length === 0) throw new Problem('not_found', 'nothing is stored for this skier');
      const resorts = seasons.map(({ season, verticalM }) => ({ seasonID: String(season), totalVert: verticalM }));
      return c.json({ resorts }, 200, headersOf(told));
    },
  );
}

function resortReads(app: Hono<HttpEnv>, o: RidesOptions): void {
  app.get(
    '/resorts',
    doc('All resorts', {
      reply: z.object({ resorts: z.array(z.object({ resortName: z.string(), resortID: z.int() })) }),
    }),
    (c) => {
      const resorts = [...o.directory.snapshot().resorts.values()];
      return c.json({ resorts: resorts.map(({ name, resortId }) => ({ resortName: name, resortID: resortId })) });
    },
  );
  app.get(
    '/resorts/:resortID/seasons/:seasonID/day/:dayID/skiers',
    doc('How many skiers were at a resort on one day', {
      parameters: [RESORT, SEASON, DAY],
      reply: z.object({ time: z.string().meta({ description: 'the resort’s name' }), numSkiers: z.int() }),
      problems: MISSES,
    }),
    async (c) => {
      const { resortID, seasonID, dayID } = c.req.param();
      const resort = resortById(o, resortID);
      const numSkiers = await o.history.resortSkiers(resort.resortId, readSeason(seasonID), readDay(dayID));
      return c.json({ time: resort.name, numSkiers });
    },
  );
  app.get(
    '/resorts/:resortID/seasons',
    doc('The seasons of a resort: declared ones and those with rides', {
      parameters: [RESORT],
      reply: z.object({ seasons: z.array(z.string()) }),
      problems: MISSES,
    }),
    async (c) => {
      const resort = resortById(o, c.req.param('resortID'));
      const stored = await o.history.storedSeasons(resort.resortId);
      const seasons = new Set([...resort.calendar.declaredSeasons, ...stored]);
      return c.json({ seasons: [...seasons].toSorted((a, b) => a - b).map(String) });
    },
  );
}

function askVertical(o: RidesOptions, reads: KeptReads, { skierId, query }: { skierId: number; query: Query }) {
  const resortIds = repeated(query, 'resort', (text) => resortByIdOrName(o, text).resortId);
  if (!resortIds) throw new Problem('malformed', 'resort is required');
  return reads.verticalBySeason(skierId, resortIds, repeated(query, 'season', readSeason));
}

/** Its bodies have no room for how fresh they are. */
function headersOf({ asOf, isStale }: Freshness): Record<string, string> {
  const headers: Record<string, string> = { ...PRIVATE_HEADERS };
  addFreshness(headers, asOfText(asOf), isStale);
  return headers;
}

function resortById(o: RidesOptions, text: string): Resort {
  return knownResort(text, o.directory.snapshot().resorts.get(readWhole(text, 'resortID', 1, MAX_SKIER_ID)));
}

function resortByIdOrName(o: RidesOptions, text: string): Resort {
  if (text === '') throw new Problem('malformed', 'resort must be an id or a name');
  const { resorts } = o.directory.snapshot();
  const byId = WHOLE.test(text) ? resorts.get(Number(text)) : undefined;
  return knownResort(text, byId ?? [...resorts.values()].find(({ name }) => name === text));
}

function knownResort(text: string, resort: Resort | undefined): Resort {
  if (!resort) throw new Problem('not_found', `there is no resort ${text}`);
  return resort;
}

const readSeason = (text: string) => readWhole(text, 'seasonID', MIN_SEASON, MAX_SEASON);
const readDay = (text: string) => readWhole(text, 'dayID', 1, MAX_SEASON_DAYS);
