import { decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { Problem } from '../domain/problem.ts';
import type { Logger } from '../platform/logger.ts';
import { followProviderKeys } from './provider-keys.ts';
import { PROVIDER_ALGORITHMS, type ProviderClaims, providerTokenCheck } from './provider-token.ts';
import { type CheckedToken, OWN_ALGORITHM, ownTokenCheck } from './skier-token.ts';

/** Skiers who read within the same minute; beyond, the one that was not seen for longest is checked again. */
const MAX_REMEMBERED = 20_000;
/** The same in characters, for providers with long tokens: 16 MB. */
const MAX_REMEMBERED_CHARACTERS = 16_000_000;
/** Longest time without a new check: what a key that was taken back still opens is this much more. */
const REMEMBER_MS = 60_000;

/** Whose tokens are taken: our own, those of an identity provider, or both. */
export interface TokenSources {
  /** of our own tokens */
  secret?: string | undefined;
  provider?: ({ jwksUrl: string } & ProviderClaims) | undefined;
}

/** Tells which skier a token is for. */
export interface SkierTokens {
  /** @returns the skierId of a token that was checked less than a minute ago and has not expired, at once */
  remembered(token: string): number | undefined;
  /**
   * @returns the skierId
   * @throws Problem `unauthorized`, without saying which check failed; `identity_unavailable` when it can't be checked now
   */
  verify(token: string): Promise<number>;
}

type Check = (token: string) => Promise<CheckedToken>;

/**
 * The kind of key is chosen by the algorithm that the token names, before anything is checked: a token of the provider never
 * meets our secret, and one that is signed with a secret never meets the provider's keys.
 */
export function createSkierTokens({ secret, provider, logger }: TokenSources & { logger: Logger }): SkierTokens {
  const checks = new Map<string, Check>();
  if (provider) {
    const keys = followProviderKeys({ url: provider.jwksUrl, logger });
    const check = providerTokenCheck(keys, provider);
    for (const algorithm of PROVIDER_ALGORITHMS) checks.set(algorithm, check);
  }
  if (secret) checks.set(OWN_ALGORITHM, ownTokenCheck(secret));
  // only tokens that are good: nobody can fill it with what they make up
  const good = new LRUCache<string, { skierId: number; untilMs: number }>({
    max: MAX_REMEMBERED,
    maxSize: MAX_REMEMBERED_CHARACTERS,
    sizeCalculation: (_value, token) => token.length,
  });
  return {
    remembered(token) {
      const found = good.get(token);
      return found !== undefined && Date.now() < found.untilMs ? found.skierId : undefined;
    },
    async verify(token) {
      const { skierId, expiresAtMs } = await checkOf(checks, token)(token);
      good.set(token, { skierId, untilMs: Math.min(expiresAtMs, Date.now() + REMEMBER_MS) });
      return skierId;
    },
  };
}

function checkOf(checks: ReadonlyMap<string, Check>, token: string): Check {
  const check = checks.get(algorithmOf(token) ?? '');
  if (!check) throw new Problem('unauthorized', 'the token is not valid');
  return check;
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    return undefined;
  }
}
