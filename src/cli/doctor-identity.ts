import { fetchKeySet } from '../directory/provider-keys.ts';
import { attempt, type Finding, ok } from './doctor-finding.ts';

/**
 * Whether the identity provider's keys can be fetched from here, as edges and rides do.
 *
 * @param url undefined where it is not set
 */
export async function checkIdentityProvider(url: string | undefined): Promise<Finding[]> {
  if (!url) return [];
  const fix = 'bring it back, or set TOKEN_JWKS_URL to the jwks_uri of its /.well-known/openid-configuration';
  return attempt('identity provider', fix, async () => {
    const { keys } = await fetchKeySet(url);
    return [ok('identity provider', `answers, with ${keys} ${keys === 1 ? 'key' : 'keys'} to check tokens with`)];
  });
}
