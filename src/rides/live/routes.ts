import { ServerResponse } from 'node:http';
import { type Context, Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { Problem } from '../../domain/problem.ts';
import { type HttpEnv, requestHeader } from '../../platform/http-common.ts';
import { allowReading } from '../caller.ts';
import { readChangesToken } from '../changes-token.ts';
import type { RidesOptions } from '../options.ts';
import { readId } from '../query.ts';
import { LIVE } from '../skier-docs.ts';
import type { Resumption } from './beginning.ts';
import type { Live } from './live.ts';

/** Load balancers must neither keep nor gather what is told now. */
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'private, no-store',
  vary: 'Authorization',
  'x-accel-buffering': 'no',
};

/** `/v1/skiers/{skierId}/live`: rides as they are stored. */
export function liveRoutes(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('/v1/skiers/:skierId/live', describeRoute(LIVE), async (c) => {
    const skierId = readId(c.req.param('skierId'), 'skierId');
    await allowReading(c, skierId, o);
    return openStream(c, o.live, skierId);
  });
  return app;
}

/**
 * Answers a request with the stream of a skier, from where it says that its listener was (`Last-Event-ID`, or the parameter
 * `lastEventId`), else from now. Written to Node's own response: thousands of these are open at once, and most are silent.
 *
 * @param context of a caller who may read the skier's rides
 * @throws as `Live.open`; nothing has been written then
 */
export async function openStream(context: Context<HttpEnv>, live: Live, skierId: number): Promise<Response> {
  if (context.req.method === 'HEAD') return context.body(null, 200, HEADERS);
  const response = context.env.outgoing;
  if (!(response instanceof ServerResponse)) throw new Error('a stream needs a server of HTTP/1.1');
  // what was set on the way, e.g. for pages of other origins
  const headers = { ...Object.fromEntries(context.res.headers), ...HEADERS };
  await live.open(skierId, resumptionOf(context), response, () => response.writeHead(200, headers));
  return context.body(null); // not sent: the head has been
}

/** The header is newer: a browser sends it when it comes back to the same address. */
function resumptionOf(context: Context<HttpEnv>): Resumption {
  const token = requestHeader(context, 'last-event-id') || context.req.query('lastEventId');
  if (!token) return undefined;
  try {
    return readChangesToken(token);
  } catch (error) {
    if (error instanceof Problem) return 'unreadable';
    throw error;
  }
}
