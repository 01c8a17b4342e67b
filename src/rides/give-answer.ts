import type { Context } from 'hono';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';
import type { AnswerCache, GivenAnswer, Question } from './cache/answer-cache.ts';
import { etagOf } from './cache/kept-answer.ts';
import { asOfText } from './represent.ts';

export interface Giving {
  cache: AnswerCache;
  /** of a good answer: who may keep it, and what it depends on */
  headers: Readonly<Record<string, string>>;
  /** what became of the scan that the caller waited for: the answer is read after that */
  after?: string | undefined;
}

/** Everyone may keep it, and looks again after a second. */
export const PUBLIC_HEADERS = { 'cache-control': 'public, max-age=1, stale-while-revalidate=5' };
/** Nothing of a skier's is kept on the way; their own client may keep it, and ask whether it still holds. */
export const PRIVATE_HEADERS = { 'cache-control': 'private, no-cache', vary: 'Authorization' };

/** Answers from what is kept, at once where that is possible, else from a read. */
export function giveAnswer<Read>(
  context: Context<HttpEnv>,
  question: Question<Read>,
  giving: Giving,
): Response | Promise<Response> {
  const isFresh = giving.after !== undefined;
  const kept = isFresh ? undefined : giving.cache.current(question.key);
  if (kept) return responseOf(context, kept, giving);
  return giving.cache.fill(question, { isFresh }).then((answer) => responseOf(context, answer, giving));
}

function responseOf(context: Context<HttpEnv>, given: GivenAnswer, { headers, after }: Giving): Response {
  const ifNoneMatch = requestHeader(context, 'if-none-match');
  const { head, ...reply } = replyOf(given, { headers, after, ifNoneMatch });
  const body = reply.status === 304 ? null : Buffer.concat([Buffer.from(head), given.kept.rest]);
  return new Response(body, reply);
}

/** What `/openapi.json` says of the headers of every answer that {@link giveAnswer} gives. */
export const ANSWER_HEADERS = {
  'Liftline-As-Of':
    'every scan whose ack carried this `acceptedAt` or an earlier one is in the answer; not there while that is not known',
  'Liftline-Stale': '`true`: a node is away, and this is what it last said',
};

export interface Reply {
  status: 200 | 304;
  headers: Record<string, string>;
  /** what comes before the rest of the answer: the brace and the first fields */
  head: string;
}

/**
 * A caller that has the same answer already gets 304, and in its headers up to when it is complete now.
 *
 * @param o.ifNoneMatch the caller's header
 */
export function replyOf(
  { kept, asOf, isStale }: GivenAnswer,
  o: Pick<Giving, 'headers' | 'after'> & { ifNoneMatch: string | undefined },
): Reply {
  const time = asOfText(asOf);
  const headers: Record<string, string> = { etag: kept.etag, ...o.headers };
  addFreshness(headers, time, isStale);
  // what waited for a scan, or may be outdated, says so in its body
  if (!isStale && o.after === undefined && hasAlready(o.ifNoneMatch, kept.etag)) {
    return { status: 304, headers, head: '' };
  }
  headers['content-type'] = 'application/json';
  const after = o.after === undefined ? '' : `"after":{"status":"${o.after}"},`;
  const marks = `${isStale ? '"stale":true,' : ''}${after}`;
  return { status: 200, headers, head: `{"asOf":${time === null ? 'null' : `"${time}"`},${marks}` };
}

/** Says in the headers of an answer how fresh it is; one that may be outdated is kept by nobody else. @param time its `asOf` */
export function addFreshness(headers: Record<string, string>, time: string | null, isStale: boolean): void {
  if (time !== null) headers['liftline-as-of'] = time;
  if (isStale) {
    headers['liftline-stale'] = 'true';
    headers['cache-control'] = 'no-store';
  }
}

/** Gives what changes rarely and lies in memory. */
export function giveContent(context: Context<HttpEnv>, content: object): Response {
  const text = JSON.stringify(content);
  const headers = { etag: etagOf(text), 'cache-control': 'public, max-age=5, stale-while-revalidate=60' };
  if (hasAlready(requestHeader(context, 'if-none-match'), headers.etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(text, { headers: { ...headers, 'content-type': 'application/json' } });
}

/** RFC 9110 13.1.2: any of a list, compared weakly. */
function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = etag.slice('W/'.length);
  return ifNoneMatch === '*' || ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === opaque);
}
