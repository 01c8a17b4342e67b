import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerAtOnce } from '../platform/http-server.ts';
import type { Metrics } from '../platform/metrics.ts';
import { skierKey } from './cache/skier-question.ts';
import { PRIVATE_HEADERS, type Reply, replyOf } from './give-answer.ts';
import type { RidesOptions } from './options.ts';

/** Whose paths these are is told by what follows. */
export const SKIERS = '/v1/skiers/';
const BEARER = 'Bearer ';

/**
 * Gives a skier what is kept and current without any framework between, which would take twice as long as all the rest. It knows
 * no more than that: a token that was checked a moment ago, whose skier the path names, and an answer to this very path.
 * Everything else is the app's, which answers the same.
 */
export function answerAtOnce(
  o: Pick<RidesOptions, 'cache' | 'tokens' | 'corsOrigins' | 'logger'> & { metrics: Pick<Metrics, 'recordRequest'> },
): AnswerAtOnce {
  const vary = o.corsOrigins.length === 0 || o.corsOrigins.includes('*') ? {} : { vary: 'Authorization, Origin' };
  const headers = { ...PRIVATE_HEADERS, ...vary };
  return (incoming, outgoing) => {
    const { url = '' } = incoming;
    if (!url.startsWith(SKIERS) || !isPlain(incoming)) return false;
    const startedAt = performance.now();
    const skierId = skierOf(incoming, o.tokens);
    const path = url.slice(SKIERS.length);
    if (skierId === undefined || !path.startsWith(`${skierId}/`)) return false;
    const given = o.cache.current(skierKey(skierId, path));
    if (given?.route === undefined) return false;
    const reply = replyOf(given, { headers, ifNoneMatch: incoming.headers['if-none-match'] });
    send(outgoing, reply, given.kept.rest);
    const [{ status }, ms] = [reply, performance.now() - startedAt];
    o.metrics.recordRequest('GET', given.route, status, ms);
    if (o.logger.isLevelEnabled('debug')) o.logger.debug({ method: 'GET', route: given.route, status, ms }, 'answered');
    return true;
  };
}

/** A page of another origin needs more headers. */
function isPlain({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.origin === undefined;
}

function skierOf({ headers }: IncomingMessage, tokens: RidesOptions['tokens']): number | undefined {
  const { authorization = '' } = headers;
  return authorization.startsWith(BEARER) ? tokens.remembered(authorization.slice(BEARER.length)) : undefined;
}

/** In one write: the first fields go with the headers, and the rest as the bytes that are kept. */
function send(outgoing: ServerResponse, { status, headers, head }: Reply, rest: Buffer): void {
  if (status === 304) {
    outgoing.writeHead(status, headers).end();
    return;
  }
  headers['content-length'] = String(head.length + rest.length);
  outgoing.writeHead(status, headers);
  outgoing.cork();
  outgoing.write(head, 'latin1');
  outgoing.end(rest);
}
