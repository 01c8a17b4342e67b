import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { Problem, type ProblemCode } from '../domain/problem.ts';
import { isUuid } from '../domain/scan.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { pathParameter, queryParameter, type RouteDoc, routeDoc } from '../platform/openapi.ts';
import type { DeadLetter } from '../shards/dead-letters.ts';
import type { OpsOptions } from './options.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const time = z.string().meta({ format: 'date-time' });
const deadLetter = z
  .object({
    deadLetterId: z.string().meta({ format: 'uuid' }),
    lane: z.int(),
    shard: z.int().nullable().meta({ description: 'null for a job that could not be read' }),
    batchId: z.string(),
    code: z.string(),
    detail: z.string(),
    acceptedAt: time,
    diedAt: time,
    payload: z.unknown(),
  })
  .meta({ id: 'DeadLetter' });

const ID = pathParameter('deadLetterId', { type: 'string', format: 'uuid' });
const PROBLEMS: ProblemCode[] = ['unauthorized', 'forbidden', 'malformed', 'not_found', 'node_unavailable'];

function doc(summary: string, rest: Omit<RouteDoc, 'summary' | 'tag'>) {
  return describeRoute(routeDoc({ summary, tag: 'Operators', audience: ['adminKey'], problems: PROBLEMS, ...rest }));
}

/** Scans that only an operator can decide about, under `/ops/dead`. */
export function deadLetterRoutes({ deadLetters }: Pick<OpsOptions, 'deadLetters'>): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(
    '/ops/dead',
    doc('Dead letters of all nodes, the newest first', {
      parameters: [queryParameter('limit', { type: 'integer', minimum: 1, maximum: MAX_LIMIT }, 'how many at most')],
      reply: z.object({ deadLetters: z.array(deadLetter) }),
    }),
    async (c) => c.json({ deadLetters: (await deadLetters.list({ limit: limitOf(c.req.query('limit')) })).map(json) }),
  );
  app.get('/ops/dead/:deadLetterId', doc('One dead letter', { parameters: [ID], reply: deadLetter }), async (c) =>
    c.json(json(await deadLetters.show(idOf(c.req.param('deadLetterId'))))),
  );
  app.post(
    '/ops/dead/:deadLetterId/replay',
    doc('Put it back into its lane', {
      parameters: [ID],
      status: 202,
      problems: [...PROBLEMS, 'conflict', 'queue_unavailable'],
    }),
    async (c) => {
      await deadLetters.replay(idOf(c.req.param('deadLetterId')));
      return c.body(null, 202);
    },
  );
  app.post(
    '/ops/dead/:deadLetterId/discard',
    doc('Give it up for good', { parameters: [ID], status: 204 }),
    async (c) => {
      await deadLetters.discard(idOf(c.req.param('deadLetterId')));
      return c.body(null, 204);
    },
  );
  return app;
}

function json(letter: DeadLetter): z.infer<typeof deadLetter> {
  const acceptedAt = new Date(letter.acceptedAt).toISOString();
  return { ...letter, acceptedAt, diedAt: new Date(letter.diedAt).toISOString() };
}

function idOf(text: string): string {
  if (!isUuid(text)) throw new Problem('malformed', 'the id of a dead letter is a UUID');
  return text.toLowerCase();
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (!/^\d{1,9}$/.test(text)) throw new Problem('malformed', 'limit must be a whole number');
  const limit = Number(text);
  if (limit < 1 || limit > MAX_LIMIT) throw new Problem('invalid', `limit must be 1 to ${MAX_LIMIT}`);
  return limit;
}
