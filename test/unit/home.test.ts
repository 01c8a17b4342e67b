import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openHome, openSecrets, readRuntime, saveCredentials, saveSecrets } from '../../src/cli/home.ts';
import { identify, isRunning } from '../../src/cli/process-identity.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-home-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a home', () => {
  test('is made private, with its format', async () => {
    const home = await openHome(path.join(folder, 'new', 'home'));
    expect((await stat(home.path)).mode & 0o777).toBe(0o711);
    expect(await readFile(home.file('version'), 'utf8')).toBe('1\n');
    await home.release();
    expect(await readdir(home.path)).toEqual(['version']);
  });

  test('has one process at a time, and another one once it is released', async () => {
    const home = await openHome(path.join(folder, 'home'));
    await expect(openHome(home.path)).rejects.toThrow(`already runs in ${home.path}, as process ${process.pid}`);
    await home.release();
    await (await openHome(home.path)).release();
  });

  test.each([
    ['a process that is gone', () => JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1' })],
    ['an older process with a pid that lives again', () => JSON.stringify({ pid: process.pid, startedAt: '1' })],
    ['a write that was cut off', () => '{"pid":'],
  ])('can be opened when the lock is of %s', async (_whose, lock) => {
    const home = await openHome(path.join(folder, 'home'));
    await writeFile(home.file('lock'), lock());
    const again = await openHome(home.path);
    expect(JSON.parse(await readFile(again.file('lock'), 'utf8'))).toEqual(identify(process.pid));
    await again.release();
    expect(await readdir(home.path)).toEqual(['version']);
  });

  test('lets one of many starters in when the lock is stale', async () => {
    const home = await openHome(path.join(folder, 'home'));
    await writeFile(home.file('lock'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
    const again = await openHome(home.path);
    expect(JSON.parse(await readFile(again.file('lock'), 'utf8'))).toEqual(identify(process.pid));
    await expect(openHome(home.path)).rejects.toThrow('already runs');
  });

  test('of another format is refused, and stays as it is', async () => {
    const home = path.join(folder, 'home');
    await (await openHome(home)).release();
    await writeFile(path.join(home, 'version'), '999\n');
    await expect(openHome(home)).rejects.toThrow('has format 999 and this version of Liftline works with 1');
    expect(await readdir(home)).toEqual(['version']);
  });

  test('can’t be a file, or a folder of something else', async () => {
    await writeFile(path.join(folder, 'file'), '');
    await expect(openHome(path.join(folder, 'file'))).rejects.toThrow("can't write to LIFTLINE_HOME");
    await expect(openHome(folder)).rejects.toThrow('holds other files');
  });

  test('that can’t be written is refused', async () => {
    await writeFile(path.join(folder, 'a-file'), '');
    await expect(openHome(path.join(folder, 'a-file', 'home'))).rejects.toThrow('ENOTDIR');
  });

  test('keeps its secrets, for its owner alone', async () => {
    const home = await openHome(path.join(folder, 'home'));
    const secrets = await openSecrets(home);
    expect(secrets.tokenSecret.length).toBeGreaterThanOrEqual(32);
    expect(secrets.adminKey.length).toBeGreaterThanOrEqual(20);
    expect(await openSecrets(home)).toEqual(secrets);
    await saveSecrets(home, { ...secrets, deviceKey: 'll_dev_1' });
    expect(await openSecrets(home)).toEqual({ ...secrets, deviceKey: 'll_dev_1' });
    await saveCredentials(home, {
      baseUrl: 'http://127.0.0.1:8080',
      deviceKey: 'll_dev_1',
      adminKey: secrets.adminKey,
    });
    for (const file of ['secrets.json', 'credentials.json']) {
      expect((await stat(home.file(file))).mode & 0o777).toBe(0o600);
    }
    await writeFile(home.file('secrets.json'), '{"tokenSecret":"');
    await expect(openSecrets(home)).rejects.toThrow('secrets.json is damaged');
    await home.release();
  });

  test('says nothing of a running process where none ever ran', async () => {
    expect(await readRuntime(folder)).toBeUndefined();
  });
});

test('a process is told apart from a later one with its pid', () => {
  const self = identify(process.pid);
  expect(self && isRunning(self)).toBe(true);
  expect(isRunning({ pid: process.pid, startedAt: '1' })).toBe(false);
  expect(identify(2 ** 22 + 1)).toBeUndefined();
});
