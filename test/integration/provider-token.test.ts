import { createSecretKey } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSkierTokens, type SkierTokens } from '../../src/directory/skier-tokens.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import {
  type Claims,
  type IdentityProvider,
  newSigningKey,
  type SigningKey,
  startIdentityProvider,
} from '../support/identity-provider.ts';
import { recordedLog } from '../support/recorded-log.ts';

const SECRET = 'a secret of the test, long enough for HS256';
const UNAUTHORIZED = { name: 'Problem', code: 'unauthorized' };
const UNAVAILABLE = { name: 'Problem', code: 'identity_unavailable', status: 503, retryAfterS: 5 };

let provider: IdentityProvider;
let key: SigningKey;
let log: ReturnType<typeof recordedLog>;
let tokens: SkierTokens;

const open = (o: { skierClaim?: string; secret?: string } = {}) =>
  createSkierTokens({
    provider: {
      jwksUrl: provider.url,
      issuer: provider.issuer,
      audiences: [provider.audience, 'ski-app-for-tablets'],
      skierClaim: o.skierClaim ?? 'sub',
    },
    secret: o.secret,
    logger: log.logger,
  });
const goodClaims = () => ({ sub: '42', iss: provider.issuer, aud: provider.audience, exp: nowS() + 300 });
/** Whoever can answer elsewhere could give keys of their own. */
function leadElsewhere(response: ServerResponse): void {
  const isThere = response.req.url === '/elsewhere';
  response.writeHead(isThere ? 200 : 302, { location: '/elsewhere' });
  response.end(isThere ? JSON.stringify({ keys: provider.keys.map(({ jwk }) => jwk) }) : '');
}

const byHmac = (secret: string | Buffer) =>
  new SignJWT(goodClaims())
    .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
    .sign(createSecretKey(Buffer.from(secret)));
const nowS = () => Math.floor(Date.now() / 1_000);

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  provider = await startIdentityProvider();
  [key] = provider.keys as [SigningKey];
  log = recordedLog();
  tokens = open();
});

afterEach(async () => {
  vi.useRealTimers();
  await provider.stop();
});

describe('a token of the identity provider', () => {
  test('is for the skier of its subject', async () => {
    expect(await tokens.verify(await provider.token(key))).toBe(42);
  });

  test.each(['RS256', 'PS256', 'ES384', 'EdDSA'])('may be signed with %s', async (alg) => {
    const other = await newSigningKey('other', alg);
    provider.keys.push(other);
    expect(await tokens.verify(await provider.token(other))).toBe(42);
  });

  test.each<[string, Claims]>([
    ['one of several audiences', { aud: ['someone', 'ski-app-for-tablets'] }],
    ['an expiry a moment ago: its clock is not ours', { exp: nowS() - 5 }],
    ['a start in a moment', { nbf: nowS() + 5 }],
  ])('is taken with %s', async (_what, claims) => {
    expect(await tokens.verify(await provider.token(key, { claims }))).toBe(42);
  });

  test.each([undefined, 'JWT', 'at+jwt', 'application/at+jwt'])('is taken with the type %s', async (typ) => {
    expect(await tokens.verify(await provider.token(key, { header: { typ } }))).toBe(42);
  });

  test.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', ''])('is refused with the type "%s"', async (typ) => {
    await expect(tokens.verify(await provider.token(key, { header: { typ } }))).rejects.toMatchObject(UNAUTHORIZED);
  });

  test.each<[string, Claims]>([
    ['expired', { exp: nowS() - 15 }],
    ['without an expiry', { exp: undefined }],
    ['not valid yet', { nbf: nowS() + 60 }],
    ['of another issuer', { iss: 'https://id.resort.example' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience', { aud: 'ski-shop' }],
    ['without an audience', { aud: undefined }],
    ['without a skier', { sub: undefined }],
    ['for no number', { sub: 'auth0|42' }],
  ])('that is %s is refused', async (_what, claims) => {
    await expect(tokens.verify(await provider.token(key, { claims }))).rejects.toMatchObject(UNAUTHORIZED);
  });

  const CLAIM = 'https://resort.example/skierId';
  test.each(['42', 42])('names its skier in the claim that is set: %j', async (value) => {
    const token = await provider.token(key, { claims: { [CLAIM]: value } });
    expect(await open({ skierClaim: CLAIM }).verify(token)).toBe(42);
  });

  test.each([4.2, -42, ['42'], null, { id: 42 }])('whose claim is %j is refused', async (value) => {
    const token = await provider.token(key, { claims: { [CLAIM]: value } });
    await expect(open({ skierClaim: CLAIM }).verify(token)).rejects.toMatchObject(UNAUTHORIZED);
  });

  test('is refused when someone else’s key signed it under the same id', async () => {
    const forged = await newSigningKey('key-1');
    await expect(tokens.verify(await provider.token(forged))).rejects.toMatchObject(UNAUTHORIZED);
  });
});

describe('kinds of keys are never mixed', () => {
  test('a token signed with the public key as if it were a secret is refused, and no key is asked for', async () => {
    for (const secret of [JSON.stringify(key.jwk), Buffer.from(key.jwk.x ?? '', 'base64url')]) {
      await expect(tokens.verify(await byHmac(secret))).rejects.toMatchObject(UNAUTHORIZED);
    }
    expect(provider.asked()).toBe(0);
  });

  test('a secret that stands in the provider’s set is no key', async () => {
    const secret = Buffer.alloc(32, 7);
    const shared = { kty: 'oct', k: secret.toString('base64url'), kid: 'key-1', alg: 'HS256' };
    provider.keys.push({ ...key, kid: 'shared', jwk: shared });
    await expect(tokens.verify(await byHmac(secret))).rejects.toMatchObject(UNAUTHORIZED);
  });

  test('both sources may be taken at once, each by its own rules', async () => {
    const both = open({ secret: SECRET });
    expect(await both.verify(await provider.token(key))).toBe(42);
    expect(await both.verify(await signSkierToken(SECRET, 43, 60))).toBe(43);
    const ours = new SignJWT({ ...goodClaims(), iss: 'liftline', aud: 'liftline' });
    const withTheirKey = await ours.setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(key.privateKey);
    await expect(both.verify(withTheirKey)).rejects.toMatchObject(UNAUTHORIZED);
    await expect(both.verify(await byHmac(SECRET))).rejects.toMatchObject(UNAUTHORIZED);
  });

  test('without TOKEN_SECRET our own tokens are refused', async () => {
    await expect(tokens.verify(await signSkierToken(SECRET, 42, 60))).rejects.toMatchObject(UNAUTHORIZED);
  });
});

describe('the provider’s keys', () => {
  test('are asked for once for many tokens at once', async () => {
    const signed = await Promise.all(
      Array.from({ length: 20 }, (_, i) => provider.token(key, { claims: { jti: `${i}` } })),
    );
    expect(await Promise.all(signed.map((token) => tokens.verify(token)))).toEqual(signed.map(() => 42));
    expect(provider.asked()).toBe(1);
  });

  test('rotate: a new one is asked for, but not for every id that somebody makes up', async () => {
    await tokens.verify(await provider.token(key));
    const next = await newSigningKey('key-2');
    vi.advanceTimersByTime(11_000);
    provider.keys = [key, next];
    expect(await tokens.verify(await provider.token(next))).toBe(42);
    expect(provider.asked()).toBe(2);
    const madeUp = await newSigningKey('key-666');
    for (let i = 0; i < 5; i += 1) {
      await expect(tokens.verify(await provider.token(madeUp))).rejects.toMatchObject(UNAUTHORIZED);
    }
    expect(provider.asked()).toBe(2);
  });

  test('one that was taken back is refused, six minutes later at most', async () => {
    const token = await provider.token(key, { claims: { exp: nowS() + 3_600 } });
    await tokens.verify(token);
    provider.keys = [await newSigningKey('key-2')];
    vi.advanceTimersByTime(301_000);
    expect(tokens.remembered(token)).toBeUndefined();
    await expect(tokens.verify(token)).rejects.toMatchObject(UNAUTHORIZED);
  });

  test('known ones stay good while the provider is away; a token with another may be good, and is a 503', async () => {
    await tokens.verify(await provider.token(key));
    vi.advanceTimersByTime(301_000);
    provider.answer = (response) => response.writeHead(500).end();
    expect(await tokens.verify(await provider.token(key))).toBe(42);
    const next = await newSigningKey('key-2');
    await expect(tokens.verify(await provider.token(next))).rejects.toMatchObject(UNAVAILABLE);
    expect(log.messages()).toEqual(['the identity provider is away: the keys known so far stay good']);

    provider.answer = undefined;
    provider.keys = [key, next];
    vi.advanceTimersByTime(11_000);
    expect(await tokens.verify(await provider.token(next))).toBe(42);
    expect(log.messages()).toContain('the identity provider is back');
  });

  const away: [string, NonNullable<IdentityProvider['answer']>][] = [
    ['closes the connection', (response) => response.destroy()],
    ['answers an error', (response) => response.writeHead(503).end()],
    ['answers a page', (response) => response.writeHead(200).end('<html>sign in</html>')],
    ['answers another JSON', (response) => response.writeHead(200).end('{"error":"no"}')],
    ['answers an empty set', (response) => response.writeHead(200).end('{"keys":[]}')],
    ['leads elsewhere, where a set is', leadElsewhere],
    ['is silent', () => {}],
  ];
  test.each(away)('a provider that %s at first: 503, and left alone for 5 s', async (_what, answer) => {
    provider.answer = answer;
    await expect(tokens.verify(await provider.token(key))).rejects.toMatchObject(UNAVAILABLE);
    await expect(tokens.verify(await provider.token(key))).rejects.toMatchObject(UNAVAILABLE);
    expect(provider.asked()).toBe(1);
    expect(log.messages()).toEqual(['the identity provider is away: its tokens are answered 503']);
    provider.answer = undefined;
    vi.advanceTimersByTime(5_001);
    expect(await tokens.verify(await provider.token(key))).toBe(42);
  });

  test('a stranger’s token is refused without asking anybody', async () => {
    provider.answer = (response) => response.destroy();
    const token = await provider.token(key, { claims: { iss: 'https://elsewhere.example/' } });
    await expect(tokens.verify(token)).rejects.toMatchObject(UNAUTHORIZED);
    expect(provider.asked()).toBe(0);
  });
});
