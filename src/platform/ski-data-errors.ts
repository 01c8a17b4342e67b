import type { ErrorHandler } from 'hono';
import { z } from 'zod';
import { Problem } from '../domain/problem.ts';
import { type HttpEnv, toProblem } from './http-common.ts';
import type { Logger } from './logger.ts';

/** Every error body of the SkiDataAPI. */
export const skiDataError = z.object({ message: z.string() }).meta({ id: 'SkiDataError' });

/** The last stop of errors on the SkiDataAPI routes. Their contract has no 422 and no 409: what is impossible is a 400. */
export function answerSkiDataErrors(logger: Logger): ErrorHandler<HttpEnv> {
  return (error, context) => {
    const problem = toProblem(error, context, logger);
    const status = problem.status === 422 || problem.status === 409 ? 400 : problem.status;
    if (problem.retryAfterS !== undefined) context.header('retry-after', String(problem.retryAfterS));
    if (status === 401) context.header('www-authenticate', 'Bearer');
    return context.json({ message: problem.message }, status);
  };
}

/** A whole number of the SkiDataAPI, wherever it stands. @throws Problem `malformed` for anything but `min` to `max` */
export function readWhole(text: string, what: string, min: number, max: number): number {
  const value = WHOLE.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Problem('malformed', `${what} must be a whole number, ${min} to ${max}`);
}

const WHOLE = /^\d{1,15}$/;
