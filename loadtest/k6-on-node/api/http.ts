// The module `k6/http` as a script sees it.
import { Agent, request } from 'node:http';
import { parseDuration } from '../duration.ts';
import { type HttpAnswer, failedAnswer, readAnswer } from '../http-answer.ts';
import { requireLoopback } from '../loopback.ts';
import type { Tags } from '../metric-registry.ts';
import { callerAfterInit, currentSession } from '../session.ts';
import { strict, Unsupported } from '../unsupported.ts';

interface Params {
  headers?: Record<string, string>;
  tags?: Record<string, string>;
  timeout?: string | number;
}

const PARAMS = ['headers', 'tags', 'timeout'];
const DEFAULT_TIMEOUT = '60s';
/** A connection a request in flight, kept for the next one; k6 keeps some for each user. */
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 10_000 });

/**
 * Sends a request and measures it: from here to the last byte of the answer. That includes making the connection, which
 * k6 counts apart, so figures here are rather too high than too low.
 *
 * @returns an answer with status 0 and an `error` when none came
 * @throws Unsupported for parameters and bodies that the stand-in doesn't have, and for redirects
 */
export async function asyncRequest(
  method: string,
  address: string,
  body?: string | null,
  params?: Params | null,
): Promise<HttpAnswer> {
  const caller = callerAfterInit('asyncRequest()');
  checkArguments(body, params ?? {});
  const { headers = {}, tags = {}, timeout = DEFAULT_TIMEOUT } = params ?? {};
  const url = new URL(address);
  requireLoopback(url);
  const startedAt = performance.now();
  const answer = await exchange({ method, url, headers, body: body ?? undefined, timeoutMs: parseDuration(timeout) });
  measure(answer, performance.now() - startedAt, { name: address, method, ...caller.tags, ...tags });
  if (answer.status >= 300 && answer.status < 400) throw new Unsupported(`following the redirect of ${address}`);
  return strict(answer, 'Response');
}

export default strict({ asyncRequest }, 'http');

function checkArguments(body: unknown, params: object): void {
  if (body !== undefined && body !== null && typeof body !== 'string') {
    throw new Unsupported('a request body other than a string');
  }
  const unknown = Object.keys(params).filter((name) => !PARAMS.includes(name));
  if (unknown.length > 0) throw new Unsupported(`http parameter ${unknown.join(', ')}`);
}

interface Exchange {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body: string | undefined;
  timeoutMs: number;
}

/**
 * Never rejects. A kept connection that the server closed just then is no failure of the request: it goes again, on
 * another connection, as Go's client (and so k6) does it.
 */
function exchange(o: Exchange): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const sent = request(o.url, { method: o.method, headers: o.headers, agent }, (incoming) => {
      void readAnswer(incoming).then(resolve, (error: unknown) => resolve(failedAnswer(error)));
    });
    const timer = setTimeout(() => sent.destroy(new Error('request timeout')), o.timeoutMs);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const wasClosedIdle = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      resolve(wasClosedIdle ? exchange(o) : failedAnswer(error));
    });
    sent.on('close', () => clearTimeout(timer));
    sent.end(o.body);
  });
}

function measure({ status, error }: HttpAnswer, durationMs: number, tags: Tags): void {
  const { http_reqs, http_req_duration, http_req_failed } = currentSession().metrics.builtIn;
  const isFailed = status < 200 || status >= 400;
  const all = { ...tags, status: String(status), expected_response: String(!isFailed), error };
  http_reqs.add(1, all);
  http_req_duration.add(durationMs, all);
  http_req_failed.add(isFailed ? 1 : 0, all);
}
