import type { Context } from 'hono';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';
import type { AnswerCache, GivenAnswer, Question } from './cache/answer-cache.ts';

export interface Giving {
  cache: AnswerCache;
  /** of a good answer: who may keep it, and what it depends on */
  headers: Readonly<Record<string, string>>;
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

function responseOf(context: Context<HttpEnv>, { kept, asOf, isStale }: GivenAnswer, giving: Giving): Response {
  const headers: Record<string, string> = { etag: kept.etag, ...giving.headers };
  const time = asOf === null ? null : new Date(asOf).toISOString();
  if (time !== null) headers['liftline-as-of'] = time;
  if (isStale) {
    headers['liftline-stale'] = 'true';
    headers['cache-control'] = 'no-store';
  }
  // what waited for a scan, or may be outdated, says so in its body
  if (!isStale && giving.after === undefined && hasAlready(requestHeader(context, 'if-none-match'), kept.etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers['content-type'] = 'application/json';
  const after = giving.after === undefined ? '' : `"after":{"status":"${giving.after}"},`;
  const marks = `${isStale ? '"stale":true,' : ''}${after}`;
  const body = kept.after(`{"asOf":${time === null ? 'null' : `"${time}"`},${marks}`);
  return new Response(body, { headers });
}

/** RFC 9110 13.1.2: any of a list, compared weakly. */
function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = etag.slice('W/'.length);
  return ifNoneMatch === '*' || ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === opaque);
}
