import { decodeJwt, errors, jwtVerify } from 'jose';
import { Problem } from '../domain/problem.ts';
import { identityUnavailable, type ProviderKeys } from './provider-keys.ts';
import { checkedToken, type CheckedToken } from './skier-token.ts';

/** RFC 8725 3.1: the algorithms are the verifier's choice. All have a public key; none has a secret. */
export const PROVIDER_ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
/** RFC 8725 3.11: access tokens and plain JWTs, not those for logging out or for other purposes. Many providers name none. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt'];
/** The provider's clock is another one than ours. */
const CLOCK_TOLERANCE_S = 10;

/** What a resort group's own identity provider puts into its tokens. */
export interface ProviderClaims {
  /** `iss`, exactly */
  issuer: string;
  /** `aud` is or holds one of these */
  audiences: readonly string[];
  /** the claim that holds the skierId, as digits or as a number */
  skierClaim: string;
}

/**
 * Checks tokens of an identity provider, as RFC 8725 asks.
 *
 * @returns a check, which throws Problem `unauthorized` without saying what is wrong, and `identity_unavailable` for a
 * token whose key is not known while the provider does not answer
 */
export function providerTokenCheck(
  keys: ProviderKeys,
  { issuer, audiences, skierClaim }: ProviderClaims,
): (token: string) => Promise<CheckedToken> {
  const checks = {
    algorithms: PROVIDER_ALGORITHMS,
    issuer,
    audience: [...audiences],
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
  };
  return async (token) => {
    try {
      // before any key is asked for: a stranger's token is refused, whether the provider answers or not
      if (decodeJwt(token).iss !== issuer) throw new Problem('unauthorized', 'the token is of another issuer');
      const { payload, protectedHeader } = await jwtVerify(token, keys.keyOf, checks);
      if (!isForAccess(protectedHeader.typ)) throw new Problem('unauthorized', 'the token is of another type');
      return checkedToken(payload[skierClaim], payload.exp);
    } catch (cause) {
      if (cause instanceof Problem) throw cause;
      if (cause instanceof errors.JWKSNoMatchingKey && keys.isAway()) throw identityUnavailable(cause);
      throw new Problem('unauthorized', 'the token is not valid', { cause });
    }
  };
}

function isForAccess(type: string | undefined): boolean {
  return type === undefined || TYPES.includes(type.toLowerCase());
}
