import { Queue } from 'bullmq';
import { Hono, type MiddlewareHandler } from 'hono';
import { Problem } from '../domain/problem.ts';
import { isSameSecret } from '../platform/credentials.ts';
import { type HttpEnv, problemResponse, requestHeader } from '../platform/http-common.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openLink, type QueueLink } from '../queue/backend.ts';
import type { QueueAddress } from '../queue/lanes.ts';

export interface QueuePagesOptions extends QueueAddress {
  laneCount: number;
  adminKey: string;
  /** as clients see it, '' for none */
  pathPrefix: string;
  logger: Logger;
  lifecycle: Lifecycle;
}

const PATH = '/ops/queues';
const TIMEOUT_MS = 5_000;

/**
 * bull-board on all lanes under `/ops/queues`, to look and not to touch: it could delete and retry jobs, so it is told to be
 * read-only, and nothing but GET gets to it. Its packages and its connection are opened by the first request: a process on
 * which nobody looks at the pages does not pay for them.
 */
export function queuePages(o: QueuePagesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  let opening: Promise<Pages> | undefined;
  const open = () => {
    opening ??= openPages(o).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  app.use(PATH, lettingOperatorsIn(o.adminKey));
  app.use(`${PATH}/*`, lettingOperatorsIn(o.adminKey));
  app.get(`${PATH}/`, (context) => context.redirect('../queues', 301));
  app.on('GET', [PATH, `${PATH}/*`], async (context) => {
    const { link, app: board } = await open();
    await untilReady(link);
    return withoutStrangers(await board.fetch(context.req.raw));
  });
  app.all(PATH, onlyLooking);
  app.all(`${PATH}/*`, onlyLooking);
  return app;
}

/** Browsers send the admin key as password of any user; programs as bearer, as everywhere. */
function lettingOperatorsIn(adminKey: string): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const key = keyOf(requestHeader(context, 'authorization') ?? '');
    if (isSameSecret(key, adminKey)) return next();
    const problem = new Problem('unauthorized', 'the password is the admin key, of any user');
    const response = problemResponse(problem, context.get('requestId') ?? '');
    response.headers.set('www-authenticate', 'Basic realm="Liftline: the password is the admin key", charset="UTF-8"');
    return response;
  };
}

function keyOf(authorization: string): string {
  const [, scheme = '', credential = ''] = /^(Basic|Bearer) +(\S+) *$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return credential;
  const text = Buffer.from(credential, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function onlyLooking(): Response {
  throw new Problem('method_not_allowed', 'these pages only show the queue; use liftline dead and liftline queue');
}

interface Pages {
  link: QueueLink;
  app: Hono;
}

async function openPages(o: QueuePagesOptions): Promise<Pages> {
  const [{ createBullBoard }, { BullMQAdapter }, { HonoAdapter }, { serveStatic }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/hono'),
    import('@hono/node-server/serve-static'),
  ]);
  const link = openLink({ ...o, timeoutMs: TIMEOUT_MS, connections: 2 });
  o.lifecycle.onStop('queue pages', () => link.close());
  const lanes = Array.from({ length: o.laneCount }, (_, lane) => lane);
  const queues = lanes.map((lane) => {
    const queue: object = link.queue(lane); // it takes queues on any connection, and has a type for BullMQ's own kind only
    if (!(queue instanceof Queue)) throw new TypeError(`lane ${lane} is no queue of BullMQ`);
    return new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false });
  });
  const serverAdapter = new HonoAdapter(serveStatic);
  createBullBoard({ queues, serverAdapter, options: { uiConfig: { boardTitle: 'Liftline' } } });
  serverAdapter.setBasePath(PATH); // by this it finds its files, and by the next its page finds itself
  const app = new Hono().route(PATH, serverAdapter.registerPlugin());
  serverAdapter.setBasePath(`${o.pathPrefix}${PATH}`);
  return { link, app };
}

async function untilReady(link: QueueLink): Promise<void> {
  try {
    await link.ready();
  } catch (cause) {
    throw new Problem('queue_unavailable', 'the queue does not answer', { cause });
  }
}

/** Nothing from elsewhere: its page asks a CDN for fonts. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const FOREIGN_LINK = /<link href="https:[^>]*>/g;

async function withoutStrangers(response: Response): Promise<Response> {
  const { status } = response;
  const headers = new Headers(response.headers);
  headers.set('cache-control', 'no-store');
  headers.set('content-security-policy', PAGE_POLICY);
  if (!headers.get('content-type')?.startsWith('text/html')) return new Response(response.body, { status, headers });
  headers.delete('content-length');
  return new Response((await response.text()).replaceAll(FOREIGN_LINK, ''), { status, headers });
}
