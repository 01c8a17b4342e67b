import { jwtVerify, SignJWT } from 'jose';
import { Problem } from '../domain/problem.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'liftline';
const AUDIENCE = 'liftline';
const SKIER_ID = /^[1-9]\d{0,9}$/;

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
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setSubject(String(skierId))
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + ttlS)
    .sign(secretBytes(secret));
}

/**
 * Checks a token as RFC 8725 asks: the one algorithm we sign with, our issuer and audience, a subject, not expired.
 *
 * @returns the skierId it was signed for
 * @throws Problem `unauthorized`, without saying which check failed
 */
export async function verifySkierToken(secret: string, token: string): Promise<number> {
  const subject = await verifiedSubject(secret, token);
  if (!isSkierId(subject)) throw new Problem('unauthorized', 'the token is for no skier');
  return Number(subject);
}

async function verifiedSubject(secret: string, token: string): Promise<string> {
  try {
    const { payload } = await jwtVerify(token, secretBytes(secret), {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['sub', 'exp'],
    });
    return payload.sub ?? '';
  } catch (cause) {
    throw new Problem('unauthorized', 'the token is not valid', { cause });
  }
}

function isSkierId(text: string): boolean {
  return SKIER_ID.test(text) && Number(text) <= MAX_SKIER_ID;
}

function secretBytes(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}
