import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { createSkierTokens } from '../../src/directory/skier-tokens.ts';
import type { Problem } from '../../src/domain/problem.ts';
import { MAX_SKIER_ID } from '../../src/domain/shard.ts';
import { recordedLog } from '../support/recorded-log.ts';

const SECRET = 'a secret of the test, long enough for HS256';
const KEY = createSecretKey(Buffer.from(SECRET));
const tokens = createSkierTokens({ secret: SECRET, logger: recordedLog().logger });
const nowS = () => Math.floor(Date.now() / 1000);
const claims = (changed: JWTPayload = {}): JWTPayload => ({
  sub: '42',
  iss: 'liftline',
  aud: 'liftline',
  iat: nowS(),
  exp: nowS() + 60,
  ...changed,
});
const without = (claim: keyof JWTPayload): JWTPayload => {
  const { [claim]: _left, ...rest } = claims();
  return rest;
};
const signed = (payload: JWTPayload, alg = 'HS256') => new SignJWT(payload).setProtectedHeader({ alg }).sign(KEY);

function signedByKeyPair(): Promise<string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
}

async function tampered(): Promise<string> {
  const [header, , signature] = (await signed(claims())).split('.');
  const payload = Buffer.from(JSON.stringify(claims({ sub: '43' }))).toString('base64url');
  return [header, payload, signature].join('.');
}

describe('a skier token', () => {
  test.each([1, 42, MAX_SKIER_ID])('is for the skier it was signed for: %i', async (skierId) => {
    expect(await tokens.verify(await signSkierToken(SECRET, skierId, 60))).toBe(skierId);
  });

  test('is taken from another issuer of ours that signs the same claims', async () => {
    expect(await tokens.verify(await signed(claims()))).toBe(42);
  });

  test.each<[string, () => string | Promise<string>]>([
    ['expired', () => signed(claims({ exp: nowS() - 1 }))],
    ['without an expiry', () => signed(without('exp'))],
    ['not valid yet', () => signed(claims({ nbf: nowS() + 60 }))],
    ['for another audience', () => signed(claims({ aud: 'snowpark' }))],
    ['without an audience', () => signed(without('aud'))],
    ['of another issuer', () => signed(claims({ iss: 'snowpark' }))],
    ['without an issuer', () => signed(without('iss'))],
    ['without a subject', () => signed(without('sub'))],
    ['for no number', () => signed(claims({ sub: 'alice' }))],
    ['for skier 0', () => signed(claims({ sub: '0' }))],
    ['for a negative skier', () => signed(claims({ sub: '-42' }))],
    ['for a skier written otherwise', () => signed(claims({ sub: '042' }))],
    ['for a skier beyond the last', () => signed(claims({ sub: String(MAX_SKIER_ID + 1) }))],
    ['signed with a longer HMAC', () => signed(claims(), 'HS512')],
    ['signed with another algorithm', signedByKeyPair],
    ['unsigned', () => new UnsecuredJWT(claims()).encode()],
    ['signed with another secret', () => signSkierToken(`not ${SECRET}`, 42, 60)],
    ['changed after it was signed', tampered],
    ['no token', () => 'll_dev_nonsense'],
    ['empty', () => ''],
  ])('that is %s is refused', async (_what, make) => {
    const token = await make();
    await expect(tokens.verify(token)).rejects.toMatchObject({
      name: 'Problem',
      code: 'unauthorized',
    } satisfies Partial<Problem>);
  });

  test.each([
    [0, 60],
    [MAX_SKIER_ID + 1, 60],
    [1.5, 60],
    [42, 0],
    [42, 0.5],
  ])('is not made for skier %d and %d seconds', async (skierId, ttlS) => {
    await expect(signSkierToken(SECRET, skierId, ttlS)).rejects.toThrow(RangeError);
  });
});
