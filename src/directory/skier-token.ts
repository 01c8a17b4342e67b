import { jwtVerify, SignJWT } from 'jose';
import { Problem } from '../domain/problem.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';

/** The one algorithm that we sign our own tokens with. */
export const OWN_ALGORITHM = 'HS256';
const ISSUER = 'liftline';
const AUDIENCE = 'liftline';
const SKIER_ID = /^[1-9]\d{0,9}$/;

/** What a token that was checked says. */
export interface CheckedToken {
  skierId: number;
  /** milliseconds since the epoch */
  expiresAtMs: number;
}

/**
 * @param secret at least 32 characters (RFC 8725 3.5: as long as the hash)
 * @param skierId 1 to 2147483647
 * @param ttlS lifetime in whole seconds, from 1
 * @returns a signed token that lets its bearer read this skier's rides
 * @throws RangeError for any other skierId or ttlS
 */
export async function signSkierToken(secret: string, skierId: number, ttlS: number): Promise<string> {
  if (!isSkierId(String(skierId))) throw new RangeError(`skierId must be 1 to ${MAX_SKIER_ID}`);
  if (!Number.isSafeInteger(ttlS) || ttlS < 1) throw new RangeError('ttlS must be a whole number of seconds, from 1');
  const issuedAtS = Math.floor(Date.now() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: OWN_ALGORITHM, typ: 'JWT' })
    .setSubject(String(skierId))
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + ttlS)
    .sign(secretBytes(secret));
}

/**
 * Checks our own tokens as RFC 8725 asks: the one algorithm we sign with, our issuer and audience, a subject, not expired.
 *
 * @param secret as it was signed with
 * @returns a check, which throws Problem `unauthorized` without saying what is wrong
 */
export function ownTokenCheck(secret: string): (token: string) => Promise<CheckedToken> {
  // made once: jose would import the bytes again for each token
  const key = crypto.subtle.importKey('raw', secretBytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  return async (token) => {
    const { payload } = await jwtVerify(token, await key, {
      algorithms: [OWN_ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['sub', 'exp'],
    }).catch(refuse);
    return checkedToken(payload.sub, payload.exp);
  };
}

/**
 * @param skier the claim that names the skier: digits, or a number
 * @param expiresAtS the claim `exp`
 * @throws Problem `unauthorized` when they name no skier, or no end
 */
export function checkedToken(skier: unknown, expiresAtS: number | undefined): CheckedToken {
  const text = typeof skier === 'number' ? String(skier) : skier;
  if (typeof text !== 'string' || !isSkierId(text)) throw new Problem('unauthorized', 'the token is for no skier');
  if (expiresAtS === undefined) throw new Problem('unauthorized', 'the token has no end');
  return { skierId: Number(text), expiresAtMs: expiresAtS * 1_000 };
}

function refuse(cause: unknown): never {
  throw new Problem('unauthorized', 'the token is not valid', { cause });
}

function isSkierId(text: string): boolean {
  return SKIER_ID.test(text) && Number(text) <= MAX_SKIER_ID;
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(secret);
}
