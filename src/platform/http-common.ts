import { randomBytes } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { type Context, type ErrorHandler, Hono, type MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { routePath } from 'hono/route';
import { PROBLEM_STATUS, Problem, type ProblemCode } from '../domain/problem.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** What `observe` leaves for the handlers behind it, and what the server gives. */
export interface HttpEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { requestId: string };
}

const TITLES: Record<ProblemCode, string> = {
  malformed: 'The request can not be read',
  bad_cursor: 'The cursor can not be read',
  unauthorized: 'Credentials are missing or not valid',
  forbidden: 'These credentials are of the wrong kind',
  not_found: 'There is no such thing',
  method_not_allowed: 'This path has no such method',
  request_timeout: 'The request took too long',
  conflict: 'This contradicts what is stored',
  too_large: 'The request is too large',
  unsupported_media_type: 'The content type is not taken here',
  invalid: 'The request is impossible',
  unknown_resort: 'There is no such resort',
  unknown_lift: 'The resort has no such lift',
  too_far_ahead: 'The time is too far ahead',
  too_old: 'The time is too far back',
  quota_exceeded: 'The quota is used up',
  internal: 'Something failed here',
  overloaded: 'There is too much to do',
  queue_unavailable: 'The queue does not answer',
  node_unavailable: 'The database node does not answer',
  directory_unavailable: 'The directory does not answer',
  identity_unavailable: 'The identity provider does not answer',
  starting: 'The process is not ready yet',
};

/** @returns the RFC 9457 reply to a problem, with `Retry-After` where it has one */
export function problemResponse(problem: Problem, requestId: string): Response {
  const { code, status } = problem;
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'x-request-id': requestId };
  if (problem.retryAfterS !== undefined) headers['retry-after'] = String(problem.retryAfterS);
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  const body = { type: 'about:blank', title: TITLES[code], status, code, detail: problem.message, requestId };
  return new Response(JSON.stringify(body), { status, headers });
}

/**
 * The last stop of every app's errors: a Problem is answered as it is; anything else is logged whole and leaves as an
 * opaque 500.
 */
export function handleErrors(logger: Logger): ErrorHandler<HttpEnv> {
  return (error, context) => problemResponse(toProblem(error, context, logger), context.get('requestId') ?? '');
}

/** @returns the Problem that a caller may see; logs errors that are none */
export function toProblem(error: unknown, context: Context<HttpEnv>, logger: Logger): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) {
    const code = codeOf(error.status);
    if (code) return new Problem(code, error.message || TITLES[code], { cause: error });
  }
  if (hasLeft(context)) return new Problem('malformed', 'the connection closed before the request was whole');
  logger.error({ err: error, requestId: context.get('requestId'), method: context.req.method }, 'unexpected error');
  return new Problem('internal', 'Something failed here; the log has the details under this request id', {
    cause: error,
  });
}

function codeOf(status: number): ProblemCode | undefined {
  if (status >= 500) return undefined;
  return (Object.keys(PROBLEM_STATUS) as ProblemCode[]).find((code) => PROBLEM_STATUS[code] === status) ?? 'malformed';
}

function hasLeft(context: Context<HttpEnv>): boolean {
  const incoming = context.env?.incoming;
  return incoming !== undefined && incoming.destroyed && !incoming.complete;
}

/** Answers what no route matches. */
export function notFound(context: Context<HttpEnv>): Response {
  return problemResponse(new Problem('not_found', 'no such path'), context.get('requestId') ?? '');
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** A process under overload would write a line for each refusal: one a second says it, with the number it stands for. */
const REFUSAL_LINE_MS = 1_000;

/**
 * Gives each request an id (the caller's `x-request-id`, or a new one), times it by route, and logs failures.
 * On every request of the hot path, so: no child logger, no header on success, kept histogram series.
 */
export function observe(metrics: Metrics, logger: Logger): MiddlewareHandler<HttpEnv> {
  const prefix = randomBytes(6).toString('hex');
  const refusals = createRefusalLog(logger);
  let count = 0;
  return async (context, next) => {
    const startedAt = performance.now();
    const given = requestHeader(context, 'x-request-id');
    count += 1;
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : `${prefix}-${count.toString(36)}`;
    context.set('requestId', requestId);
    await next();
    const ms = performance.now() - startedAt;
    const { method } = context.req;
    const { status } = context.res;
    const route = routePath(context, -1);
    metrics.recordRequest(method, route, status, ms);
    if (status < 500 && !logger.isLevelEnabled('debug')) return;
    const line = { requestId, method, route, status, ms: Math.round(ms * 10) / 10 };
    if (status === 503) refusals(line, context.error);
    else if (status >= 500) logger.error(line, 'failed');
    else logger.debug(line, 'answered');
  };
}

function createRefusalLog(logger: Logger): (line: object, error: Error | undefined) => void {
  let nextAt = 0;
  let unsaid = 0;
  return (line, error) => {
    const now = performance.now();
    if (now < nextAt) {
      unsaid += 1;
      return;
    }
    logger.error({ ...line, reason: error?.message, unsaid }, 'refused');
    nextAt = now + REFUSAL_LINE_MS;
    unsaid = 0;
  };
}

/** A request header without building a `Headers` for it: about 2 µs less than `context.req.header`. */
export function requestHeader(context: Context<HttpEnv>, name: string): string | undefined {
  const incoming = context.env?.incoming;
  if (!incoming) return context.req.header(name);
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * The routes that every process has.
 *
 * @param o.ready true, or what is missing
 * @param o.live true, or why this process should be replaced; a process that can answer is live unless it is given
 * @param o.metrics the Prometheus text
 */
export function probes(o: {
  ready: () => true | string;
  live?: () => true | string;
  metrics: () => Promise<string>;
}): Hono {
  const app = new Hono();
  app.get('/healthz', (context) => {
    const live = o.live?.() ?? true;
    return live === true ? context.json({ status: 'ok' }) : context.json({ status: 'stuck', detail: live }, 503);
  });
  app.get('/readyz', (context) => {
    const ready = o.ready();
    return ready === true ? context.json({ status: 'ready' }) : problemResponse(new Problem('starting', ready), '');
  });
  app.get('/metrics', async (context) =>
    context.text(await o.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  return app;
}
