import type { Context } from 'hono';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';
import type { AnswerCache, GivenAnswer, Question } from './cache/answer-cache.ts';

export interface Giving {
  cache: AnswerCache;
  /** the `Cache-Control` of a good answer */
  cacheControl: string;
  /** what became of the scan that the caller waited for: the answer is read after that */
  after?: string | undefined;
}

/**
 * Answers from what is kept, at once where that is possible, else from a read.
 *
 * A caller that has the same answer already (`If-None-Match`) gets 304, and in its headers up to when it is complete now.
 */
export function giveAnswer<Read>(
  context: Context<HttpEnv>,
  question: Question<Read>,
  giving: Giving,
): Response | Promise<Response> {
  const isFresh = giving.after !== undefined;
  const kept = isFresh ? undefined : giving.cache.current(question);
  if (kept) return responseOf(context, kept, giving);
  return giving.cache.fill(question, { isFresh }).then((answer) => responseOf(context, answer, giving));
}

function responseOf(context: Context<HttpEnv>, answer: GivenAnswer, giving: Giving): Response {
  const { kept, isStale } = answer;
  const asOf = answer.asOf === null ? null : new Date(answer.asOf).toISOString();
  const headers: Record<string, string> = {
    etag: kept.etag,
    'cache-control': isStale ? 'no-store' : giving.cacheControl,
    vary: 'Authorization',
  };
  if (asOf !== null) headers['liftline-as-of'] = asOf;
  if (isStale) headers['liftline-stale'] = 'true';
  // what waited for a scan, or may be outdated, says so in its body
  if (!isStale && giving.after === undefined && requestHeader(context, 'if-none-match') === kept.etag) {
    return new Response(null, { status: 304, headers });
  }
  const after = giving.after === undefined ? '' : `"after":{"status":"${giving.after}"},`;
  const marks = `${isStale ? '"stale":true,' : ''}${after}`;
  headers['content-type'] = 'application/json';
  return new Response(`{"asOf":${asOf === null ? 'null' : `"${asOf}"`},${marks}${kept.rest}`, { headers });
}
