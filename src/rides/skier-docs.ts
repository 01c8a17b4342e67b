import { z } from 'zod';
import type { ProblemCode } from '../domain/problem.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import { pathParameter, queryParameter, type RouteDoc, routeDoc } from '../platform/openapi.ts';
import { DEFAULT_WAIT_S, MAX_WAIT_S } from './after.ts';
import { ANSWER_HEADERS } from './give-answer.ts';
import { DEFAULT_LIMIT, MAX_LIMIT } from './query.ts';
import { daysPage, ridesPage, skierDay, skierSeasons } from './shapes.ts';

// What /openapi.json says of the routes under /v1/skiers.

const SKIER = pathParameter('skierId', { type: 'integer', minimum: 1, maximum: MAX_SKIER_ID });
const FILTERS = [
  queryParameter('resort', { type: 'array', items: { type: 'integer' } }, 'only these resorts; may repeat'),
  queryParameter('season', { type: 'array', items: { type: 'integer' } }, 'only these seasons; may repeat'),
];
const DATES = [
  queryParameter('from', { type: 'string', format: 'date' }, 'first local day'),
  queryParameter('to', { type: 'string', format: 'date' }, 'last local day'),
];
const AFTER = [
  queryParameter(
    'after',
    { type: 'string' },
    'a receipt: the answer waits until that scan is in it, or `wait` is over',
  ),
  queryParameter(
    'wait',
    { type: 'integer', minimum: 0, maximum: MAX_WAIT_S, default: DEFAULT_WAIT_S },
    'seconds to wait for `after`',
  ),
];
const PAGING = [
  queryParameter(
    'limit',
    { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    'how many at most',
  ),
  queryParameter('cursor', { type: 'string' }, '`nextCursor` of the page before'),
];

const PROBLEMS: ProblemCode[] = [
  'malformed',
  'unauthorized',
  'forbidden',
  'not_found',
  'invalid',
  'node_unavailable',
  'identity_unavailable',
];
/** An answer's, which may have waited for a scan: too many may wait. */
const ANSWER_PROBLEMS: ProblemCode[] = [...PROBLEMS, 'overloaded'];
const LIST_PROBLEMS: ProblemCode[] = [...ANSWER_PROBLEMS, 'bad_cursor', 'unknown_resort'];
const ANSWER = { hasEtag: true, replyHeaders: ANSWER_HEADERS, problems: ANSWER_PROBLEMS };

function doc(summary: string, rest: Omit<RouteDoc, 'summary' | 'tag' | 'audience'>): ReturnType<typeof routeDoc> {
  return routeDoc({
    summary,
    tag: 'Rides',
    audience: ['skierToken', 'adminKey'],
    ...rest,
  });
}

const CHANGES = queryParameter(
  'changedSince',
  { type: 'string' },
  '`changesToken` of an earlier answer: only rides that were stored since, oldest first, whatever time they tell of; with the filters of that answer, and without `cursor`',
);

export const RIDES = doc('A skier’s rides, newest first, or what is new since an earlier answer', {
  ...ANSWER,
  reply: ridesPage,
  problems: LIST_PROBLEMS,
  parameters: [SKIER, ...FILTERS, ...DATES, ...PAGING, CHANGES, ...AFTER],
});
export const LIVE = doc('A skier’s rides as they are stored, as server-sent events', {
  description: [
    '`ride` is a `Ride`. `hello` comes first, `asOf` now and then: both say up to when what was told is complete.',
    '`reset`: something was missed that can’t be told; read the history anew. `bye`: come back after `retry`.',
    'The `id` of an event is a `changesToken`, and the other way round: begin with the one of a page that was read.',
  ].join(' '),
  reply: z.string().meta({ description: 'events: hello, ride, asOf, reset, bye' }),
  replyType: 'text/event-stream',
  problems: [...PROBLEMS, 'overloaded', 'quota_exceeded'],
  parameters: [
    SKIER,
    { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
    queryParameter('lastEventId', { type: 'string' }, 'the same, for who can’t set headers; without it: from now on'),
  ],
});
export const DAYS = doc('A skier’s days, newest first', {
  ...ANSWER,
  reply: daysPage,
  problems: LIST_PROBLEMS,
  parameters: [SKIER, ...FILTERS, ...PAGING, ...AFTER],
});
export const DAY = doc('One day of a skier with all its rides', {
  ...ANSWER,
  reply: skierDay,
  parameters: [SKIER, pathParameter('date', { type: 'string', format: 'date' }), ...AFTER],
});
export const SEASONS = doc('A skier’s seasons with their totals', {
  ...ANSWER,
  reply: skierSeasons,
  parameters: [SKIER, ...AFTER],
});
