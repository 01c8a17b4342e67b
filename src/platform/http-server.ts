import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Hono } from 'hono';
import { PROBLEM_STATUS, type ProblemCode } from '../domain/problem.ts';
import { ConfigError } from './config.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';

/** A client that takes longer for its head, or for head and body together, is answered 408. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the load balancers' usual 60 s, so that it is they who close idle connections. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A connection on which nothing moves at all, e.g. a client that does not read its answer. */
const SILENCE_TIMEOUT_MS = 120_000;
const CHECK_INTERVAL_MS = 1_000;
/** What running requests get when the process stops. */
const FINISH_MS = 3_000;

/**
 * Answers a request, wholly and before it returns, when that takes nothing but what is in memory.
 *
 * @returns false, and has touched nothing, when the request is the app's
 */
export type AnswerAtOnce = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** What an app needs to be served: any Hono app, whatever its variables. */
export type ServedApp = Pick<Hono, 'fetch'> & { atOnce?: AnswerAtOnce };

export interface ListenOptions {
  host: string;
  /** 0 takes a free one */
  port: number;
  logger: Logger;
  lifecycle: Lifecycle;
  /** the process's name, for logs and errors */
  name: string;
  /** served as if it were not there, e.g. `/Server_war`; none unless given */
  pathPrefix?: string;
  /** ends what would not end by itself, before it waits for running requests to finish */
  endStreams?: () => void;
  /** how long it still serves when it is to stop, milliseconds; not at all unless given */
  leaveMs?: number;
}

/**
 * Serves an app until the lifecycle stops. For `leaveMs` everything is still answered, and each answer ends its connection,
 * so that clients and load balancers go elsewhere. Then nothing new is accepted, running requests finish and their
 * connections close; what still runs after 3 s is cut off.
 *
 * @throws ConfigError when the port is taken or not allowed
 */
export async function listen(app: ServedApp, o: ListenOptions): Promise<{ url: string; port: number }> {
  const running = new Set<ServerResponse>();
  const prefix = o.pathPrefix ?? '';
  const answer = getRequestListener((request, bindings) => {
    const answered = app.fetch(request, bindings);
    return answered instanceof Promise ? answered.then((response) => unlessWritten(response, bindings)) : answered;
  });
  let isStopping = false;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (incoming, outgoing) => {
      incoming.url = normalizePath(incoming.url ?? '/', prefix);
      if (isStopping) outgoing.setHeader('connection', 'close');
      if (app.atOnce?.(incoming, outgoing)) return;
      running.add(outgoing);
      void answer(incoming, outgoing).finally(() => running.delete(outgoing));
    },
  );
  server.timeout = SILENCE_TIMEOUT_MS;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isAnswered = [...running].some((outgoing) => outgoing.socket === socket && outgoing.headersSent);
    if (isAnswered || error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuse(error, socket);
  });
  await bind(server, o);
  o.lifecycle.onStop(`${o.name} listener`, async () => {
    isStopping = true;
    for (const outgoing of running) if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
    if (o.leaveMs) await delay(o.leaveMs);
    o.endStreams?.();
    await finish(server);
  });
  const { port } = server.address() as AddressInfo;
  const url = urlOf(o.host, port);
  o.logger.info({ url }, `${o.name} listens`);
  return { url, port };
}

/**
 * A handler may write to `outgoing` by itself, as streams do: what it returns is not sent then. By whether the head was
 * written, for a response that is marked loses its mark where headers are added to it on the way.
 */
function unlessWritten(response: Response, { outgoing }: HttpBindings | Http2Bindings): Response {
  return outgoing.headersSent ? RESPONSE_ALREADY_SENT : response;
}

/**
 * The path as the apps see it: leading slashes collapsed (clients whose base URL ends in `/` ask for `//skiers/...`) and
 * without the prefix.
 *
 * @param url path and query, as it stands in the request line
 * @param prefix '' or `/something`, without a slash at its end
 */
export function normalizePath(url: string, prefix: string): string {
  let path = url;
  if (path.charCodeAt(1) === SLASH && path.charCodeAt(0) === SLASH) path = path.replace(/^\/+/, '/');
  if (prefix === '' || !path.startsWith(prefix)) return path;
  const rest = path.slice(prefix.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest.replace(/^\/+/, '/') : path;
}

const SLASH = 47;

/** @throws ConfigError when nothing can listen there now */
export async function checkPortIsFree(host: string, port: number): Promise<void> {
  const server = createServer();
  await bind(server, { host, port });
  await new Promise((resolve) => server.close(resolve));
}

function bind(server: Server, o: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error, o)));
    server.listen(o.port, o.host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function bindError(error: NodeJS.ErrnoException, o: { host: string; port: number }): Error {
  if (error.code === 'EADDRINUSE') {
    return new ConfigError([
      `port ${o.port} on ${o.host} is taken: stop what listens there, or set PORT to another one`,
    ]);
  }
  if (error.code === 'EACCES')
    return new ConfigError([`port ${o.port} on ${o.host} is not allowed: set PORT to another`]);
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new ConfigError([`HOST ${o.host} is no address of this machine`]);
  }
  return error;
}

function urlOf(host: string, port: number): string {
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

async function finish(server: Server): Promise<void> {
  const hard = setTimeout(() => server.closeAllConnections(), FINISH_MS);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(hard);
}

/** A request that Node could not read is answered as every other error. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  const { code, detail } = unreadable(error.code);
  const status = PROBLEM_STATUS[code];
  const body = JSON.stringify({ type: 'about:blank', title: 'The request could not be read', status, code, detail });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

function unreadable(cause: string | undefined): { code: ProblemCode; detail: string } {
  if (cause === 'ERR_HTTP_REQUEST_TIMEOUT') return { code: 'request_timeout', detail: 'the request took too long' };
  if (cause === 'HPE_HEADER_OVERFLOW') return { code: 'too_large', detail: 'the headers are larger than 16 KB' };
  return { code: 'malformed', detail: 'this is not HTTP/1.1' };
}
