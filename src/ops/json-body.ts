import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { Problem } from '../domain/problem.ts';

const MAX_BODY_BYTES = 16 * 1024;

/** Bodies of operators are small. @throws Problem `too_large` beyond 16 KB */
export const smallBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new Problem('too_large', `a body has at most ${MAX_BODY_BYTES} bytes`);
  },
});

/**
 * @returns the request's JSON body, as the schema gives it
 * @throws Problem `malformed` for what is no JSON or of another shape
 */
export async function readJson<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await context.req.text();
  const parsed = schema.safeParse(parse(text));
  if (!parsed.success) throw new Problem('malformed', z.prettifyError(parsed.error));
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem('malformed', 'the body is not JSON', { cause });
  }
}
