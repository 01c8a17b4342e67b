import type { Problem } from '../domain/problem.ts';
import { problemResponse } from '../platform/http-common.ts';
import { QuotaExceeded } from './device-quota.ts';
import type { EdgeContext } from './intake.ts';

/** The reply to a problem of a route of `/v1`; one of a quota says which and what is left of it. */
export function refusal(problem: Problem, context: EdgeContext): Response {
  const response = problemResponse(problem, context.get('requestId') ?? '');
  if (problem instanceof QuotaExceeded) {
    for (const name in problem.headers) response.headers.set(name, problem.headers[name] as string);
  }
  return response;
}
