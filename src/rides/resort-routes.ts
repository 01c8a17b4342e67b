import { type Context, Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { Problem } from '../domain/problem.ts';
import type { Resort } from '../directory/snapshot.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { pathParameter, routeDoc } from '../platform/openapi.ts';
import type { NodePosition } from '../shards/resort-queries.ts';
import type { Question, Validity } from './cache/answer-cache.ts';
import { ANSWER_HEADERS, giveAnswer, giveContent, PUBLIC_HEADERS } from './give-answer.ts';
import type { RidesOptions } from './options.ts';
import { readDate, readId } from './query.ts';
import { resortDayJson, resortDetailJson } from './represent.ts';
import { resortDay, resortDetail, resortList } from './shapes.ts';

const RESORT = pathParameter('resortId', { type: 'integer', minimum: 1 });
const DATE = pathParameter('date', { type: 'string', format: 'date' }, 'a local day of the resort');

/** What everyone may know of a resort, under `/v1/resorts`. */
export function resortRoutes(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(
    '/v1/resorts',
    describeRoute(routeDoc({ summary: 'All resorts', tag: 'Resorts', reply: resortList, hasEtag: true })),
    (c) => {
      const resorts = [...o.directory.snapshot().resorts.values()];
      return giveContent(c, { resorts: resorts.map(({ resortId, name, timeZone }) => ({ resortId, name, timeZone })) });
    },
  );
  app.get(
    '/v1/resorts/:resortId',
    describeRoute(
      routeDoc({
        summary: 'A resort with its lifts and declared seasons',
        tag: 'Resorts',
        parameters: [RESORT],
        reply: resortDetail,
        hasEtag: true,
        problems: ['malformed', 'not_found', 'invalid'],
      }),
    ),
    (c) => giveContent(c, resortDetailJson(resortOf(o, c.req.param('resortId')))),
  );
  app.get(
    '/v1/resorts/:resortId/days/:date',
    describeRoute(
      routeDoc({
        summary: 'A resort’s day: skiers, rides and the load of each lift by hour',
        description: 'Asks every node and adds up; exact, since a skier lives on one shard.',
        tag: 'Resorts',
        parameters: [RESORT, DATE],
        reply: resortDay,
        replyHeaders: ANSWER_HEADERS,
        hasEtag: true,
        problems: ['malformed', 'not_found', 'invalid', 'node_unavailable'],
      }),
    ),
    (c) => answerDay(c, o, resortOf(o, c.req.param('resortId')), readDate(c.req.param('date'), 'date')),
  );
  return app;
}

const readPositions = z.array(z.tuple([z.int(), z.object({ identity: z.string(), snapshot: z.string() })]));

function answerDay(
  context: Context<HttpEnv>,
  o: RidesOptions,
  resort: Resort,
  date: string,
): Response | Promise<Response> {
  return giveAnswer(context, resortDayQuestion(o, resort, date), { cache: o.cache, headers: PUBLIC_HEADERS });
}

/** What a resort's local day comes to; its content is a `ResortDayContent`. */
export function resortDayQuestion(
  o: Pick<RidesOptions, 'history' | 'changes'>,
  resort: Resort,
  date: string,
): Question<[number, NodePosition][]> {
  const { season, day } = resort.calendar.dayOf(date);
  const of = { resortId: resort.resortId, season, day };
  return {
    key: `resort ${of.resortId}/${date}`,
    kind: 'resort',
    readAs: (value) => readPositions.safeParse(value).data,
    validity: validityOfDay(o.changes, of),
    async load() {
      const { found, asOf, positions } = await o.history.resortDay(of.resortId, season, day);
      return { read: [...positions], asOf, content: resortDayJson(resort, { date, season, day }, found) };
    },
  };
}

/** Every ride there changes it: it is asked of the nodes four times a second at most. */
const MAY_LAG_MS = 250;

function validityOfDay(
  changes: RidesOptions['changes'],
  of: { resortId: number; season: number; day: number },
): Validity<[number, NodePosition][]> {
  return {
    isCurrent: (read) => changes.isCurrentDay(of, new Map(read)),
    asOf: () => changes.asOfOfAll(),
    mayLagMs: MAY_LAG_MS,
  };
}

function resortOf(o: RidesOptions, text: string): Resort {
  const resort = o.directory.snapshot().resorts.get(readId(text, 'resortId'));
  if (!resort) throw new Problem('not_found', `there is no resort ${text}`);
  return resort;
}
