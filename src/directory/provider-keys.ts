import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { Problem } from '../domain/problem.ts';
import type { Logger } from '../platform/logger.ts';

/** What a caller may wait for the provider's keys, when they are not known yet. */
const TIMEOUT_MS = 2_000;
/** From then on keys are asked for again: a key that the provider took back is good for so long, at most. */
const MAX_AGE_MS = 300_000;
/** A key that is not in the set is asked for again, but not more often: tokens are anybody's to make up. */
const COOLDOWN_MS = 10_000;
/** A provider that did not answer is left alone for so long, and every caller is answered at once meanwhile. */
const REST_MS = 5_000;

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), use: z.string().optional() })) });
/** RSA, elliptic curves and Edwards curves. Not `oct`: a secret is never checked against what stands on the network. */
const PUBLIC_KINDS = ['RSA', 'EC', 'OKP'];

/** The public keys that an identity provider signs with. */
export interface ProviderKeys {
  /** @throws Problem `identity_unavailable` when it can't be asked and no set is known; jose's errors for an unknown key */
  keyOf: JWTVerifyGetKey;
  /** whether the latest try to ask it failed: a key that is not known may still be one of its keys */
  isAway(): boolean;
}

/**
 * @returns the key set as the provider gives it, and how many of its keys can check a signature
 * @throws Error when it does not answer, or with something else than a set that holds such a key
 */
export async function fetchKeySet(url: string, init: RequestInit = {}): Promise<{ text: string; keys: number }> {
  const signal = init.signal ?? AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { ...init, signal, redirect: 'manual' });
  if (response.status !== 200) throw new Error(`it answers ${response.status}`);
  const text = await response.text();
  const set = keySet.safeParse(parseJson(text));
  if (!set.success) throw new Error('what it answers is no JSON Web Key Set');
  const { length } = set.data.keys.filter(({ kty, use }) => PUBLIC_KINDS.includes(kty) && use !== 'enc');
  if (length === 0) throw new Error('none of its keys can check a signature');
  return { text, keys: length };
}

/**
 * Follows an identity provider's key set: asks when it needs to, and goes on with the keys it knows while the provider is
 * away.
 *
 * @param o.url its JWKS URL
 */
export function followProviderKeys(o: { url: string; logger: Logger }): ProviderKeys {
  let known: string | undefined;
  let failedAt: number | undefined;
  let failure: unknown;

  async function ask(url: string, init: RequestInit): Promise<Response> {
    if (failedAt === undefined || performance.now() - failedAt >= REST_MS) await tryOnce(url, init);
    if (known !== undefined) return new Response(known);
    throw identityUnavailable(failure);
  }

  async function tryOnce(url: string, init: RequestInit): Promise<void> {
    try {
      known = (await fetchKeySet(url, init)).text;
      if (failedAt !== undefined) o.logger.info({ url }, 'the identity provider is back');
      failedAt = undefined;
    } catch (error) {
      const goesOn = known === undefined ? 'its tokens are answered 503' : 'the keys known so far stay good';
      if (failedAt === undefined) o.logger.error({ err: error, url }, `the identity provider is away: ${goesOn}`);
      failure = error;
      failedAt = performance.now();
    }
  }

  const keyOf = createRemoteJWKSet(new URL(o.url), {
    timeoutDuration: TIMEOUT_MS,
    cacheMaxAge: MAX_AGE_MS,
    cooldownDuration: COOLDOWN_MS,
    [customFetch]: ask,
  });
  return { keyOf, isAway: () => failedAt !== undefined };
}

export function identityUnavailable(cause: unknown): Problem {
  return new Problem(
    'identity_unavailable',
    'the identity provider does not answer: the token can not be checked now',
    {
      cause,
      retryAfterS: REST_MS / 1_000,
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
