import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashDeviceKey } from '../../src/directory/device-key.ts';
import { ADMIN_KEY, type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

interface NewKey {
  deviceId: number;
  name: string;
  keyId: number;
  key: string;
}
interface Listed {
  deviceId: number;
  name: string;
  keys: { keyId: number; createdAt: string; revokedAt: string | null }[];
}

describe('devices and their keys, for operators', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
  });
  afterAll(() => plane.stop());

  const add = async (name: string) =>
    (await (await plane.ask('POST', '/ops/devices', { body: { name } })).json()) as NewKey;
  const listed = async (name: string) => {
    const { devices } = (await (await plane.ask('GET', '/ops/devices')).json()) as { devices: Listed[] };
    return devices.find((device) => device.name === name);
  };
  const works = (key: string) => plane.follower.snapshot().devicesByKeyHash.get(hashDeviceKey(key));
  test('a device is added with a key that is shown once and works everywhere soon', async () => {
    const response = await plane.ask('POST', '/ops/devices', { body: { name: 'gate 1' } });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const made = (await response.json()) as NewKey;
    expect(made.key).toMatch(/^ll_dev_[\w-]{43}$/);
    await until('the key works', () => works(made.key));
    const device = await listed('gate 1');
    expect(device).toMatchObject({ deviceId: made.deviceId, keys: [{ keyId: made.keyId, revokedAt: null }] });
    expect(JSON.stringify(device)).not.toContain(made.key.slice(8));
  });

  test('a rotated device has two keys that work; revoking one leaves the other', async () => {
    const old = await add('gate 2');
    const response = await plane.ask('POST', '/ops/devices/gate%202/rotate');
    expect(response.status).toBe(201);
    const rotated = (await response.json()) as NewKey & { olderKeyIds: number[] };
    expect(rotated).toMatchObject({ deviceId: old.deviceId, olderKeyIds: [old.keyId] });
    await until('both keys work', () => works(old.key) && works(rotated.key));
    expect((await plane.ask('POST', `/ops/keys/${old.keyId}/revoke`)).status).toBe(204);
    await until('the old key ended', () => !works(old.key));
    expect(works(rotated.key)).toEqual({ deviceId: old.deviceId, name: 'gate 2' });
  });

  test('all keys of a device end at once', async () => {
    const { key, keyId } = await add('gate 3');
    await until('the key works', () => works(key));
    const response = await plane.ask('POST', '/ops/devices/gate%203/revoke');
    expect(await response.json()).toEqual({ revokedKeyIds: [keyId] });
    await until('the key ended', () => !works(key));
    expect((await listed('gate 3'))?.keys[0]?.revokedAt).toMatch(/^\d{4}-/);
  });

  test('names that are taken, impossible or unknown', async () => {
    await add('gate 4');
    expect(await problemOf(await plane.ask('POST', '/ops/devices', { body: { name: 'gate 4' } }))).toEqual([
      409,
      'conflict',
    ]);
    expect(await problemOf(await plane.ask('POST', '/ops/devices', { body: { name: 'a\0b' } }))).toEqual([
      422,
      'invalid',
    ]);
    expect(await problemOf(await plane.ask('POST', '/ops/devices', { body: { name: '' } }))).toEqual([422, 'invalid']);
    expect(await problemOf(await plane.ask('POST', '/ops/devices/nowhere/rotate'))).toEqual([404, 'not_found']);
    expect(await problemOf(await plane.ask('POST', '/ops/devices/nowhere/revoke'))).toEqual([404, 'not_found']);
    expect(await problemOf(await plane.ask('POST', '/ops/devices/a%00b/rotate'))).toEqual([404, 'not_found']);
    expect(await problemOf(await plane.ask('POST', '/ops/devices/ski-data-open/rotate'))).toEqual([409, 'conflict']);
    expect(await problemOf(await plane.ask('POST', '/ops/keys/4242/revoke'))).toEqual([404, 'not_found']);
    expect(await problemOf(await plane.ask('POST', '/ops/keys/99999999999/revoke'))).toEqual([404, 'not_found']);
    expect(await problemOf(await plane.ask('POST', '/ops/keys/first/revoke'))).toEqual([400, 'malformed']);
  });

  test('bodies that are no JSON, of another shape, or too large', async () => {
    for (const body of ['{', '"gate"', '{"name": 5}', '[]', '{}']) {
      expect(await problemOf(await plane.ask('POST', '/ops/devices', { body }))).toEqual([400, 'malformed']);
    }
    const body = { name: 'x'.repeat(20_000) };
    expect(await problemOf(await plane.ask('POST', '/ops/devices', { body }))).toEqual([413, 'too_large']);
  });

  test('everything under /ops needs the admin key', async () => {
    const { key } = await add('gate 5');
    await until('the key works', () => works(key));
    for (const path of ['/ops/devices', '/ops/resorts', '/ops/dead', '/ops/status', '/ops/nothing']) {
      expect(await problemOf(await plane.ask('GET', path, { authorization: null }))).toEqual([401, 'unauthorized']);
      expect(await problemOf(await plane.ask('GET', path, { authorization: `Bearer ${ADMIN_KEY}x` }))).toEqual([
        401,
        'unauthorized',
      ]);
      expect(await problemOf(await plane.ask('GET', path, { authorization: `Basic ${ADMIN_KEY}` }))).toEqual([
        401,
        'unauthorized',
      ]);
      expect(await problemOf(await plane.ask('GET', path, { authorization: `Bearer ${key}` }))).toEqual([
        403,
        'forbidden',
      ]);
    }
    expect(
      await problemOf(await plane.ask('POST', '/ops/devices', { authorization: null, body: { name: 'x' } })),
    ).toEqual([401, 'unauthorized']);
  });

  test('resorts are listed as they are declared', async () => {
    const { resorts } = (await (await plane.ask('GET', '/ops/resorts')).json()) as { resorts: { lifts: unknown[] }[] };
    expect(resorts).toHaveLength(10);
    expect(resorts[0]).toMatchObject({ resortId: 1, seasonStartsOn: expect.stringMatching(/^\d\d-\d\d$/) as string });
    expect(resorts[0]?.lifts).toHaveLength(40);
  });
});
