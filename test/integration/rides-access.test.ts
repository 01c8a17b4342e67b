import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type ReadSide, startReadSide, TOKEN_SECRET } from '../support/read-side.ts';
import { problemOf } from '../support/replies.ts';
import { DEVICE_KEY } from '../support/two-nodes.ts';

const OWN = 70_101;
const OTHER = 70_102;
const LISTS = ['rides', 'days', 'seasons', 'days/2025-12-20'];

const secret = new TextEncoder().encode(TOKEN_SECRET);
const claims = () =>
  new SignJWT()
    .setSubject(String(OWN))
    .setIssuer('liftline')
    .setAudience('liftline')
    .setIssuedAt()
    .setExpirationTime('5m');

describe('who may read a history', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide();
    await side.store([OWN, OTHER].map((skierId) => ({ skierId, liftId: 5, at: '2025-12-20T09:00:00Z' })));
  });
  afterAll(() => side.stop());

  const asOwn = (credential: string) => side.get(`/v1/skiers/${OWN}/rides`, { authorization: `Bearer ${credential}` });

  test.each(LISTS)('a skier reads their own %s', async (list) => {
    const response = await side.get(`/v1/skiers/${OWN}/${list}`, { authorization: `Bearer ${await side.token(OWN)}` });
    expect(response.status).toBe(200);
  });

  test.each(LISTS)('someone else’s %s is a 404, the same whether there are any rides or none', async (list) => {
    const authorization = `Bearer ${await side.token(OWN)}`;
    const existing = await side.get(`/v1/skiers/${OTHER}/${list}`, { authorization });
    const none = await side.get(`/v1/skiers/88888/${list}`, { authorization });
    expect(await problemOf(existing)).toEqual([404, 'not_found']);
    expect(await problemOf(none)).toEqual([404, 'not_found']);
  });

  test.each(LISTS)('the admin key reads everyone’s %s', async (list) => {
    for (const skierId of [OWN, OTHER]) {
      const response = await side.get(`/v1/skiers/${skierId}/${list}`, { authorization: `Bearer ${ADMIN_KEY}` });
      expect(response.status).toBe(200);
    }
  });

  test.each(LISTS)('a device key is of the wrong kind for %s', async (list) => {
    const response = await side.get(`/v1/skiers/${OWN}/${list}`, { authorization: `Bearer ${DEVICE_KEY}` });
    expect(await problemOf(response)).toEqual([403, 'forbidden']);
  });

  test.each(LISTS)('no credentials: %s is a 401 that says how to authenticate', async (list) => {
    const response = await side.get(`/v1/skiers/${OWN}/${list}`);
    expect(await problemOf(response)).toEqual([401, 'unauthorized']);
  });

  test('an expired token', async () => {
    const token = await claims()
      .setExpirationTime(Math.floor(Date.now() / 1000) - 1)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(secret);
    expect(await problemOf(await asOwn(token))).toEqual([401, 'unauthorized']);
  });

  test('a token without an end', async () => {
    const token = await new SignJWT()
      .setSubject(String(OWN))
      .setIssuer('liftline')
      .setAudience('liftline')
      .setProtectedHeader({ alg: 'HS256' })
      .sign(secret);
    expect(await problemOf(await asOwn(token))).toEqual([401, 'unauthorized']);
  });

  test('an unsigned token', async () => {
    const token = new UnsecuredJWT()
      .setSubject(String(OWN))
      .setIssuer('liftline')
      .setAudience('liftline')
      .setExpirationTime('5m')
      .encode();
    expect(await problemOf(await asOwn(token))).toEqual([401, 'unauthorized']);
  });

  test('a token signed with another algorithm, even with the right secret', async () => {
    const token = await claims()
      .setProtectedHeader({ alg: 'HS512' })
      .sign(new TextEncoder().encode(TOKEN_SECRET.padEnd(64, 'x')));
    expect(await problemOf(await asOwn(token))).toEqual([401, 'unauthorized']);
    const sameSecret = await claims().setProtectedHeader({ alg: 'HS384' }).sign(secret);
    expect(await problemOf(await asOwn(sameSecret))).toEqual([401, 'unauthorized']);
  });

  test('a token for someone else: another audience, or issuer', async () => {
    const elsewhere = await claims().setAudience('another-app').setProtectedHeader({ alg: 'HS256' }).sign(secret);
    expect(await problemOf(await asOwn(elsewhere))).toEqual([401, 'unauthorized']);
    const foreign = await claims()
      .setIssuer('https://elsewhere.example')
      .setProtectedHeader({ alg: 'HS256' })
      .sign(secret);
    expect(await problemOf(await asOwn(foreign))).toEqual([401, 'unauthorized']);
  });

  test('a token signed with another secret, or changed after it was signed', async () => {
    const other = await claims()
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('y'.repeat(40)));
    expect(await problemOf(await asOwn(other))).toEqual([401, 'unauthorized']);
    const [head, , signature] = (await side.token(OTHER)).split('.');
    const payload = (await side.token(OWN)).split('.')[1];
    expect(await problemOf(await asOwn(`${head}.${payload}.${signature}`))).toEqual([401, 'unauthorized']);
  });

  test('a token for no skier', async () => {
    const token = await claims().setSubject('admin').setProtectedHeader({ alg: 'HS256' }).sign(secret);
    expect(await problemOf(await asOwn(token))).toEqual([401, 'unauthorized']);
  });

  test.each([
    ['a key that no device has', 'Bearer ll_dev_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['nearly the admin key', `Bearer ${ADMIN_KEY}x`],
    ['garbage', 'Bearer garbage'],
    ['two tokens', 'Bearer a b'],
    ['nothing after Bearer', 'Bearer '],
    ['another scheme', `Basic ${Buffer.from('admin:admin').toString('base64')}`],
  ])('%s is a 401', async (_what, authorization) => {
    expect(await problemOf(await side.get(`/v1/skiers/${OWN}/rides`, { authorization }))).toEqual([
      401,
      'unauthorized',
    ]);
  });

  test('resorts are public', async () => {
    for (const path of ['/v1/resorts', '/v1/resorts/1', '/v1/resorts/1/days/2025-12-20']) {
      expect((await side.get(path)).status).toBe(200);
    }
  });
});
