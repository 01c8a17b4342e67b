import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addDevice } from '../../src/directory/add-device.ts';
import { withDirectory } from '../../src/directory/database.ts';
import { hashDeviceKey } from '../../src/directory/device-key.ts';
import { type DirectoryFollower, followDirectory } from '../../src/directory/follower.ts';
import { initDirectory } from '../../src/directory/init.ts';
import type { DirectorySnapshot } from '../../src/directory/snapshot.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

/** Longer than any test: what happens within one, a notification or a broken connection has caused. */
const NEVER_MS = 600_000;
const QUICK_MS = 50;

let database: TestDatabase;
let proxy: FaultProxy;
let log: ReturnType<typeof recordedLog>;
let lifecycle: Lifecycle;

beforeEach(async () => {
  database = await freshDatabase();
  proxy = await startFaultProxy(database.url);
  log = recordedLog();
  lifecycle = new Lifecycle(log);
});

afterEach(async () => {
  await lifecycle.stop(5_000);
  await proxy.close();
  await database.drop();
});

const init = () =>
  initDirectory({
    directoryUrl: database.url,
    nodes: [{ name: 'node-a', url: 'postgres://a.example/a' }],
    shardCount: 4,
    laneCount: 2,
  });
const follow = (pollMs: number) =>
  followDirectory({ url: proxy.url, logger: log.logger, pollMs, process: 'test', lifecycle });
/** Past the proxy, as another process would. */
const add = (name: string) => withDirectory(database.url, (directory) => addDevice(directory, name));
const knows = (snapshot: DirectorySnapshot, key: string) => snapshot.devicesByKeyHash.has(hashDeviceKey(key));
const followed = (follower: DirectoryFollower) => until('the first snapshot', () => follower.hasSnapshot());
async function stopMs(): Promise<number> {
  const before = performance.now();
  await lifecycle.stop(5_000);
  return performance.now() - before;
}
const count = (message: RegExp) => log.messages().filter((line) => message.test(line)).length;

describe('while the directory is there', () => {
  test('a change arrives by notification, without waiting for the poll', async () => {
    await init();
    const follower = await follow(NEVER_MS);
    const seen: number[] = [];
    follower.onChange(({ version }) => seen.push(version));
    await followed(follower);
    const before = follower.snapshot();
    const { key } = await add('gate 1');
    await until('the new key', () => knows(follower.snapshot(), key));
    expect(knows(before, key)).toBe(false);
    expect(seen).toEqual([before.version, follower.snapshot().version]);
  });

  test('a change arrives by the poll when its notification was lost', async () => {
    await init();
    const follower = await follow(QUICK_MS);
    await followed(follower);
    const sql = postgres(database.url, { max: 1 });
    await sql`alter function raise_directory_version() rename to lost`;
    await sql`create function raise_directory_version() returns trigger language plpgsql as
      'begin update directory_version set version = version + 1; return null; end'`;
    await sql`create or replace trigger raise_version after insert on devices
      for each statement execute function raise_directory_version()`;
    await sql`insert into devices (name) values ('unannounced')`;
    const [row] = await sql<{ version: string }[]>`select version from directory_version`;
    await sql.end();
    await until('the new version', () => follower.snapshot().version === Number(row?.version));
    expect(proxy.connections()).toBe(1);
  });

  test('reload sees what was committed before it was called', async () => {
    await init();
    const follower = await follow(NEVER_MS);
    await followed(follower);
    for (const name of ['gate 1', 'gate 2', 'gate 3']) {
      const { key } = await add(name);
      expect(knows(await follower.reload(), key)).toBe(true);
      expect(knows(follower.snapshot(), key)).toBe(true);
    }
  });

  test('a listener that throws harms nobody', async () => {
    await init();
    const follower = await follow(NEVER_MS);
    await followed(follower);
    const seen: number[] = [];
    follower.onChange(() => {
      throw new Error('a listener of the test');
    });
    follower.onChange(({ version }) => seen.push(version));
    await add('gate 1');
    await until('the second listener', () => seen.length > 0);
    expect(count(/a listener of the directory failed/)).toBe(1);
  });

  test('one connection is enough', async () => {
    await init();
    const follower = await follow(QUICK_MS);
    await followed(follower);
    await add('gate 1');
    await follower.reload();
    expect(proxy.connections()).toBe(1);
  });
});

describe('at the start', () => {
  test('waits for a directory that is away, says so, and finds it', async () => {
    await proxy.close();
    const follower = await follow(QUICK_MS);
    await until('the first failures', () => count(/waiting for the directory/) > 0);
    expect(follower.hasSnapshot()).toBe(false);
    expect(() => follower.snapshot()).toThrow(expect.objectContaining({ code: 'starting' }));
    await expect(follower.reload()).rejects.toMatchObject({ code: 'directory_unavailable' });
    await init();
    await proxy.open();
    await followed(follower);
    expect(count(/waiting for the directory/)).toBe(1);
    expect(count(/the directory is back/)).toBe(1);
  });

  test('waits for a directory that is not made yet', async () => {
    const follower = await follow(QUICK_MS);
    await expect(follower.reload()).rejects.toMatchObject({ code: 'directory_unavailable' });
    await expect(follower.reload()).rejects.toMatchObject({ code: 'directory_unavailable' });
    await init();
    await followed(follower);
  });
});

describe('while the directory is away', () => {
  test('the last snapshot serves, twice in a row, and changes arrive afterwards', async () => {
    await init();
    const follower = await follow(QUICK_MS);
    await followed(follower);
    for (const round of [1, 2]) {
      const last = follower.snapshot();
      await proxy.close();
      await until('the loss is noticed', () => count(/serving its last snapshot/) === round);
      await expect(follower.reload()).rejects.toMatchObject({ code: 'directory_unavailable' });
      await expect(follower.reload()).rejects.toMatchObject({ code: 'directory_unavailable' });
      const { key } = await add(`gate ${round}`);
      expect(follower.snapshot()).toBe(last);
      await proxy.open();
      await until('the change', () => knows(follower.snapshot(), key));
    }
  });

  test('changes still arrive by notification after its sessions were ended', async () => {
    await init();
    const follower = await follow(NEVER_MS);
    await followed(follower);
    const sql = postgres(database.url, { max: 1 });
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await sql.end();
    await until('the second connection', () => proxy.connections() === 2 && count(/the directory is back/) === 1);
    const { key } = await add('gate 1');
    await until('the new key', () => knows(follower.snapshot(), key));
    expect(proxy.connections()).toBe(2);
  });

  test('does not try again and again at once', async () => {
    await init();
    const follower = await follow(QUICK_MS);
    await followed(follower);
    const sql = postgres(database.url, { max: 1 });
    await sql`update settings set format_version = 99`; // each attempt connects, and fails
    const before = proxy.connections();
    await until('several failures', () => follower.secondsSinceContact() > 1.5);
    await sql`update settings set format_version = 1`;
    await sql.end();
    expect(proxy.connections() - before).toBeLessThan(8);
    expect(count(/serving its last snapshot/)).toBe(1);
    await until('it is back', () => follower.secondsSinceContact() < 1);
  });

  test('a directory that falls silent is noticed, and left', async () => {
    await init();
    const follower = await follow(QUICK_MS);
    await followed(follower);
    proxy.goSilent();
    await until('the loss is noticed', () => count(/serving its last snapshot/) === 1);
    expect(follower.secondsSinceContact()).toBeGreaterThan(3);
    await proxy.open();
    await until('it is back', () => count(/the directory is back/) === 1);
    expect(follower.secondsSinceContact()).toBeLessThan(3);
  });
});

describe('stops at once', () => {
  test.each<[string, (follower: DirectoryFollower) => Promise<unknown> | void]>([
    ['while all is well', () => {}],
    ['while the directory refuses', () => proxy.close()],
    [
      'while the directory is silent',
      (follower) => {
        proxy.goSilent();
        follower.reload().catch(() => {}); // hangs, as the test wants it
      },
    ],
  ])('%s', async (_when, prepare) => {
    await init();
    const follower = await follow(NEVER_MS);
    await followed(follower);
    await prepare(follower);
    expect(await stopMs()).toBeLessThan(1_000);
    expect(follower.hasSnapshot()).toBe(true);
    await expect(follower.reload()).rejects.toMatchObject({ code: 'directory_unavailable' });
  });

  test('while it connects to a directory that is silent', async () => {
    proxy.goSilent();
    await follow(NEVER_MS);
    await until('the connection', () => proxy.connections() > 0);
    expect(await stopMs()).toBeLessThan(1_000);
  });
});
