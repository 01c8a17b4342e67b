import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requireSkierTokens, skierTokensOf } from '../../src/cli/skier-tokens.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { createSkierTokens } from '../../src/directory/skier-tokens.ts';
import { DeviceAuthenticator } from '../../src/edge/authenticate.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { type IdentityProvider, type SigningKey, startIdentityProvider } from '../support/identity-provider.ts';
import { type ReadSide, startReadSide, TOKEN_SECRET } from '../support/read-side.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { messageStatus, problemOf } from '../support/replies.ts';

let provider: IdentityProvider;
let key: SigningKey;

function tokensOfProvider() {
  const { url, issuer, audience } = provider;
  const { logger } = recordedLog();
  return createSkierTokens({
    provider: { jwksUrl: url, issuer, audiences: [audience], skierClaim: 'sub' },
    logger,
  });
}

beforeAll(async () => {
  provider = await startIdentityProvider();
  [key] = provider.keys as [SigningKey];
});
beforeEach(() => {
  provider.answer = undefined;
});
afterAll(() => provider.stop());

describe('a skier who is signed in at the identity provider', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide({ tokens: tokensOfProvider() });
    await side.store([{ skierId: 42, liftId: 5, at: '2025-12-20T09:00:00Z' }]);
  });
  afterAll(() => side.stop());

  const read = async (path: string, token: string) => side.get(path, { authorization: `Bearer ${token}` });

  test('reads their own rides, again and again with the same token, and nobody else’s', async () => {
    const token = await provider.token(key);
    for (let i = 0; i < 3; i += 1) {
      const response = await read('/v1/skiers/42/rides', token);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ rides: [{ liftId: 5 }] });
      expect(await problemOf(await read('/v1/skiers/43/rides', token))).toEqual([404, 'not_found']);
    }
    expect(await problemOf(await read('/v1/skiers/42/rides', await side.token(42)))).toEqual([401, 'unauthorized']);
  });

  test('is told apart from one whose token can’t be checked now: 503, on the SkiDataAPI and on pages too', async () => {
    const other = await startReadSide({ tokens: tokensOfProvider() });
    provider.answer = (response) => response.destroy();
    const headers = { authorization: `Bearer ${await provider.token(key)}` };
    const response = await other.get('/v1/skiers/42/rides', headers);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await problemOf(response)).toEqual([503, 'identity_unavailable']);
    expect(await messageStatus(await other.get('/skiers/42/vertical?resort=1', headers))).toBe(503);
    const page = await other.get('/app', { cookie: `liftline_skier=${await provider.token(key)}` });
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
    const html = await page.text();
    expect(html).toContain('What checks who you are does not answer.');
    expect(html).not.toContain('database');
    await other.stop();
  });
});

describe('at an edge, a token of the identity provider', () => {
  test('is good, and of the wrong kind', async () => {
    const edge = new DeviceAuthenticator({ tokens: tokensOfProvider() });
    const authorization = `Bearer ${await provider.token(key)}`;
    for (let i = 0; i < 2; i += 1) expect(await edge.refusalOf(authorization)).toMatchObject({ code: 'forbidden' });
    const expired = await provider.token(key, { claims: { exp: 1_700_000_000 } });
    expect(await edge.refusalOf(`Bearer ${expired}`)).toMatchObject({ code: 'unauthorized' });
  });

  test('that can’t be checked is no device key in any case', async () => {
    const edge = new DeviceAuthenticator({ tokens: tokensOfProvider() });
    provider.answer = (response) => response.destroy();
    expect(await edge.refusalOf(`Bearer ${await provider.token(key)}`)).toMatchObject({ code: 'unauthorized' });
  });
});

describe('the settings of a process', () => {
  const env = { DIRECTORY_URL: 'postgres://unused', ADMIN_KEY: 'an-admin-key-of-the-tests' };
  const { logger } = recordedLog();

  test('name the provider, and with TOKEN_SECRET ourselves too', async () => {
    const { url, issuer, audience } = provider;
    const ofProvider = {
      TOKEN_JWKS_URL: url,
      TOKEN_ISSUER: issuer,
      TOKEN_AUDIENCE: audience,
      TOKEN_SKIER_CLAIM: 'skier',
    };
    const theirs = await provider.token(key, { claims: { sub: 'auth0|x', skier: 42 } });
    const ours = await signSkierToken(TOKEN_SECRET, 43, 60);
    const one = requireSkierTokens(loadConfig({ ...env, ...ofProvider }, 'rides'), logger);
    expect(await one.verify(theirs)).toBe(42);
    await expect(one.verify(ours)).rejects.toMatchObject({ code: 'unauthorized' });
    const both = requireSkierTokens(loadConfig({ ...env, ...ofProvider, TOKEN_SECRET }, 'rides'), logger);
    expect([await both.verify(theirs), await both.verify(ours)]).toEqual([42, 43]);
  });

  test('may name nobody at an edge: it tells no skier apart then', () => {
    const queue = { QUEUE_URL: 'redis://unused' };
    expect(skierTokensOf(loadConfig({ ...env, ...queue }, 'edge'), logger)).toBeUndefined();
  });
});
