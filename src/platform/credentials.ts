import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from '../domain/problem.ts';

/** What a bearer can carry, as a pattern: the b64token of RFC 6750. */
export const B64_TOKEN = String.raw`[\w.~+/-]+=*`;

const BEARER = new RegExp(`^Bearer +(${B64_TOKEN}) *$`, 'i');

/**
 * @param header the Authorization header as it came
 * @returns the bearer's credential (RFC 6750)
 * @throws Problem `unauthorized` when there is none
 */
export function bearerOf(header: string | undefined): string {
  if (header === undefined) throw new Problem('unauthorized', 'send Authorization: Bearer and a token or key');
  const credential = BEARER.exec(header)?.[1];
  if (credential === undefined)
    throw new Problem('unauthorized', 'the Authorization header is not Bearer and one token');
  return credential;
}

/** Compares without telling by its time how much was right: hashes of equal length first. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
