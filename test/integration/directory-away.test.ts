import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addDevice } from '../../src/directory/add-device.ts';
import { type Directory, openDirectory } from '../../src/directory/database.ts';
import { declareSeason } from '../../src/directory/declare-season.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { listDevices } from '../../src/directory/list-devices.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';

const AWAY = { name: 'Problem', code: 'directory_unavailable', retryAfterS: 1 };
/** One connect timeout or one query timeout, and room for a slow machine. */
const BOUND_MS = 9_000;

let database: TestDatabase;
let proxy: FaultProxy;
let lifecycle: Lifecycle;
let directory: Directory;

beforeEach(async () => {
  database = await freshDatabase();
  proxy = await startFaultProxy(database.url);
  lifecycle = new Lifecycle({ logger: recordedLog().logger });
  const nodes = [{ name: 'node-a', url: 'postgres://a.example/a' }];
  await initDirectory({ directoryUrl: database.url, nodes, shardCount: 4, laneCount: 2 });
  directory = openDirectory({ url: proxy.url, lifecycle });
});

afterEach(async () => {
  await lifecycle.stop(BOUND_MS);
  await proxy.close();
  await database.drop();
});

describe('whoever changes or lists the directory', () => {
  test('is told at once that it refuses, and served when it is back', async () => {
    await addDevice(directory, 'gate 1');
    await proxy.close();
    await expect(addDevice(directory, 'gate 2')).rejects.toMatchObject(AWAY);
    await expect(listDevices(directory)).rejects.toMatchObject(AWAY);
    await expect(declareSeason(directory, { resortId: 1, season: 2026 })).rejects.toMatchObject(AWAY);
    await proxy.open();
    expect((await listDevices(directory)).map(({ name }) => name)).toEqual(['ski-data-open', 'gate 1']);
  });

  test('is told within seconds that an open connection is dead', async () => {
    await listDevices(directory);
    proxy.goSilent();
    const before = performance.now();
    await expect(listDevices(directory)).rejects.toMatchObject(AWAY);
    expect(performance.now() - before).toBeLessThan(BOUND_MS);
    await proxy.open();
    expect(await listDevices(directory)).toHaveLength(1);
  });

  test('is told within seconds that no connection can be made', async () => {
    proxy.goSilent();
    const before = performance.now();
    await expect(listDevices(directory)).rejects.toMatchObject(AWAY);
    expect(performance.now() - before).toBeLessThan(BOUND_MS);
  });

  test('a change that fails leaves nothing behind', async () => {
    const failure = new Error('of the test');
    const changing = directory.change(async (db) => {
      await db.execute(`insert into devices (name) values ('half')`);
      throw failure;
    });
    await expect(changing).rejects.toBe(failure);
    expect((await listDevices(directory)).map(({ name }) => name)).toEqual(['ski-data-open']);
  });

  test('a read can change nothing', async () => {
    const changing = directory.read((db) => db.execute(`insert into devices (name) values ('sneaked in')`));
    await expect(changing).rejects.toMatchObject({ cause: { cause: { code: '25006' } } });
    expect(await listDevices(directory)).toHaveLength(1);
  });
});
