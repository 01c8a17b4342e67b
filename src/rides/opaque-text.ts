import type { z } from 'zod';
import { Problem } from '../domain/problem.ts';

/** What a caller gets to send back as it is: JSON in base64url, without secrets, that says its version first. */
export function opaqueText(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * @param schema of what {@link opaqueText} was given
 * @param o.maxLength longer text is not even looked at
 * @param o.problem what is wrong with anything else
 * @throws Problem `bad_cursor`
 */
export function readOpaqueText<T>(schema: z.ZodType<T>, text: string, o: { maxLength: number; problem: string }): T {
  const parsed = schema.safeParse(text.length > o.maxLength ? undefined : partsOf(text));
  if (!parsed.success) throw new Problem('bad_cursor', o.problem);
  return parsed.data;
}

/** @returns undefined for text that is no JSON in canonical base64url */
function partsOf(text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
