import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addDevice } from '../../src/directory/add-device.ts';
import { type Directory, openDirectory } from '../../src/directory/database.ts';
import { hashDeviceKey } from '../../src/directory/device-key.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { listDevices } from '../../src/directory/list-devices.ts';
import { loadSnapshot } from '../../src/directory/load-snapshot.ts';
import { revokeDeviceKey, revokeKeysOfDevice } from '../../src/directory/revoke-device-key.ts';
import { rotateDeviceKey } from '../../src/directory/rotate-device-key.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';

const lifecycle = new Lifecycle({ logger: recordedLog().logger });
let database: TestDatabase;
let directory: Directory;

beforeAll(async () => {
  database = await freshDatabase();
  const nodes = [{ name: 'node-a', url: 'postgres://a.example/a' }];
  await initDirectory({ directoryUrl: database.url, nodes, shardCount: 4, laneCount: 2 });
  directory = openDirectory({ url: database.url, lifecycle });
});

afterAll(async () => {
  await lifecycle.stop(5_000);
  await database.drop();
});

async function deviceOf(key: string) {
  return (await loadSnapshot(directory)).devicesByKeyHash.get(hashDeviceKey(key));
}

describe('devices', () => {
  test('a new one is known by its key', async () => {
    const added = await addDevice(directory, 'gate 1');
    expect(await deviceOf(added.key)).toEqual({ deviceId: added.deviceId, name: 'gate 1' });
    expect(added.deviceId).toBeGreaterThan(0);
  });

  test('a key is nowhere in the directory', async () => {
    const { key } = await addDevice(directory, 'gate 2');
    const sql = postgres(database.url, { max: 1 });
    const rows = await sql`select device_keys::text from device_keys union all select devices::text from devices`;
    await sql.end();
    expect(JSON.stringify(rows)).toContain(hashDeviceKey(key));
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  test('rotation: both keys work until the old one is revoked', async () => {
    const first = await addDevice(directory, 'gate 3');
    const second = await rotateDeviceKey(directory, 'gate 3');
    expect(second).toMatchObject({ deviceId: first.deviceId, olderKeyIds: [first.keyId] });
    expect([await deviceOf(first.key), await deviceOf(second.key)]).toEqual(
      [1, 2].map(() => ({ deviceId: first.deviceId, name: 'gate 3' })),
    );
    await revokeDeviceKey(directory, first.keyId);
    expect(await deviceOf(first.key)).toBeUndefined();
    expect(await deviceOf(second.key)).toMatchObject({ name: 'gate 3' });
    expect((await rotateDeviceKey(directory, 'gate 3')).olderKeyIds).toEqual([second.keyId]);
  });

  test('revoking all keys of a device leaves the device', async () => {
    const first = await addDevice(directory, 'gate 4');
    const second = await rotateDeviceKey(directory, 'gate 4');
    expect(await revokeKeysOfDevice(directory, 'gate 4')).toEqual([first.keyId, second.keyId]);
    expect(await revokeKeysOfDevice(directory, 'gate 4')).toEqual([]);
    expect([await deviceOf(first.key), await deviceOf(second.key)]).toEqual([undefined, undefined]);
    expect((await rotateDeviceKey(directory, 'gate 4')).deviceId).toBe(first.deviceId);
  });

  test('revoking a key again keeps the time of the first', async () => {
    const { keyId } = await addDevice(directory, 'gate 5');
    const revokedAt = async () =>
      (await listDevices(directory)).find(({ name }) => name === 'gate 5')?.keys[0]?.revokedAt;
    expect(await revokedAt()).toBeNull();
    await revokeDeviceKey(directory, keyId);
    const first = await revokedAt();
    await revokeDeviceKey(directory, keyId);
    expect(first).toBeInstanceOf(Date);
    expect(await revokedAt()).toEqual(first);
  });

  test('the list holds every device with its keys, and no key', async () => {
    const added = await addDevice(directory, 'gate 6');
    const rotated = await rotateDeviceKey(directory, 'gate 6');
    const listed = await listDevices(directory);
    expect(listed[0]).toEqual({ deviceId: 0, name: 'ski-data-open', keys: [] });
    const keys = listed.find(({ name }) => name === 'gate 6')?.keys;
    expect(keys?.map(({ keyId }) => keyId)).toEqual([added.keyId, rotated.keyId]);
    expect(Math.abs(Date.now() - (keys?.[0]?.createdAt.getTime() ?? 0))).toBeLessThan(60_000);
    expect(JSON.stringify(listed)).not.toContain('ll_dev_');
  });

  test('one name is one device, also when two add it at once', async () => {
    const results = await Promise.allSettled([1, 2].map(() => addDevice(directory, 'gate 7')));
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(addDevice(directory, 'gate 7')).rejects.toMatchObject({ code: 'conflict' });
  });

  test.each(['', ' gate', 'gate ', 'ga\u0000te', 'ga\nte', 'x'.repeat(101)])('%j is no name', async (name) => {
    await expect(addDevice(directory, name)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('what is not there can be neither rotated nor revoked', async () => {
    await expect(rotateDeviceKey(directory, 'nowhere')).rejects.toMatchObject({ code: 'not_found' });
    await expect(rotateDeviceKey(directory, 'no\0where')).rejects.toMatchObject({ code: 'not_found' });
    await expect(revokeKeysOfDevice(directory, 'nowhere')).rejects.toMatchObject({ code: 'not_found' });
    for (const keyId of [999_999, 0, -1, 1.5, 2 ** 40]) {
      await expect(revokeDeviceKey(directory, keyId)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  test('nobody gets a key for posts without a key', async () => {
    await expect(rotateDeviceKey(directory, 'ski-data-open')).rejects.toMatchObject({ code: 'conflict' });
  });
});
