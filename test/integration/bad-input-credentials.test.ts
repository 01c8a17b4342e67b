import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addDevice } from '../../src/directory/add-device.ts';
import { newDeviceKey } from '../../src/directory/device-key.ts';
import { revokeDeviceKey } from '../../src/directory/revoke-device-key.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { ADMIN_KEY, goodScan, startEdge, type TestEdge, TOKEN_SECRET } from '../support/edge.ts';
import { messageStatus, problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

const LIFT_RIDE = '/skiers/1/seasons/2025/days/1/skiers/4711';

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(async () => {
  await edge.stop();
});

/** All three routes refuse it alike, each in its form, and nothing is stored. */
async function refusal(authorization: string): Promise<[number, string]> {
  const headers = { authorization };
  const problem = await problemOf(await edge.post('/v1/scans', goodScan(), headers));
  expect(await problemOf(await edge.post('/v1/scans/batch', { scans: [goodScan()] }, headers))).toEqual(problem);
  expect(await messageStatus(await edge.post(LIFT_RIDE, { time: 1, liftID: 1 }, headers))).toBe(problem[0]);
  expect(await edge.queued()).toEqual([]);
  return problem;
}

/** A skier's token as an attacker or another service would make it. */
function tokenBy(o: { secret?: string; alg?: string; audience?: string; expiresAt?: number }): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: o.alg ?? 'HS256' })
    .setSubject('4711')
    .setIssuer('liftline')
    .setAudience(o.audience ?? 'liftline')
    .setExpirationTime(o.expiresAt ?? Math.floor(Date.now() / 1000) + 60)
    .sign(new TextEncoder().encode(o.secret ?? TOKEN_SECRET));
}

describe('credentials that the edge refuses, and stores nothing for', () => {
  test('none', async () => {
    const response = await fetch(`${edge.url}/v1/scans`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(goodScan()),
    });
    expect(await problemOf(response)).toEqual([401, 'unauthorized']);
    expect(await edge.queued()).toEqual([]);
  });

  test('an unknown key', async () => {
    expect(await refusal(`Bearer ${newDeviceKey()}`)).toEqual([401, 'unauthorized']);
  });

  test('a good key under another scheme', async () => {
    expect(await refusal(`Basic ${edge.device.key}`)).toEqual([401, 'unauthorized']);
  });

  test('a good key with something behind it', async () => {
    expect(await refusal(`Bearer ${edge.device.key} x`)).toEqual([401, 'unauthorized']);
  });

  test('an empty bearer', async () => {
    expect(await refusal('Bearer ')).toEqual([401, 'unauthorized']);
  });

  test('the admin key, which is good, but no device', async () => {
    expect(await refusal(`Bearer ${ADMIN_KEY}`)).toEqual([403, 'forbidden']);
  });

  test('a skier’s token, which is good, but no device', async () => {
    expect(await refusal(`Bearer ${await signSkierToken(TOKEN_SECRET, 4711, 60)}`)).toEqual([403, 'forbidden']);
  });

  test('a skier’s token that is expired', async () => {
    const token = await tokenBy({ expiresAt: Math.floor(Date.now() / 1000) - 60 });
    expect(await refusal(`Bearer ${token}`)).toEqual([401, 'unauthorized']);
  });

  test('a skier’s token of another secret', async () => {
    expect(await refusal(`Bearer ${await tokenBy({ secret: 'x'.repeat(32) })}`)).toEqual([401, 'unauthorized']);
  });

  test('a skier’s token that is not signed', async () => {
    const [, payload] = (await tokenBy({})).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await refusal(`Bearer ${header}.${payload}.`)).toEqual([401, 'unauthorized']);
  });

  test('a skier’s token that is signed with another algorithm', async () => {
    expect(await refusal(`Bearer ${await tokenBy({ alg: 'HS512' })}`)).toEqual([401, 'unauthorized']);
  });

  test('a skier’s token for another audience', async () => {
    expect(await refusal(`Bearer ${await tokenBy({ audience: 'elsewhere' })}`)).toEqual([401, 'unauthorized']);
  });
});

test('a key works until it is revoked, and the other keys go on', async () => {
  const second = await addDevice(edge.directory, 'gate 2');
  const headers = { authorization: `Bearer ${second.key}` };
  await until('the new key is known', async () => (await edge.post('/v1/scans', goodScan(), headers)).status === 202);
  await revokeDeviceKey(edge.directory, second.keyId);
  await until('the key is revoked', async () => (await edge.post('/v1/scans', goodScan(), headers)).status === 401);
  const stored = (await edge.queued()).length;
  expect(await problemOf(await edge.post('/v1/scans', goodScan(), headers))).toEqual([401, 'unauthorized']);
  expect(await edge.queued()).toHaveLength(stored);
  expect((await edge.post('/v1/scans', goodScan())).status).toBe(202);
});
