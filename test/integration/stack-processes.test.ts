import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ProcessPlan, startProcess } from '../../loadtest/stack/managed-process.ts';
import { startPostgresServer } from '../../loadtest/stack/postgres-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { processesNaming } from '../support/processes.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

const STOP_MS = 20_000;

let folder: string;
let owner: Lifecycle;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-processes-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
  owner = new Lifecycle({ logger: recordedLog().logger });
});
afterEach(async () => {
  const left = processesNaming(folder);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
  if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
});

/** One that runs until it is told to end. @param isReady whether it says that it is ready */
function plan(isReady: () => boolean): ProcessPlan {
  return {
    name: 'part',
    command: process.execPath,
    args: ['--eval', 'setInterval(() => {}, 1_000)', folder],
    cwd: folder,
    env: {},
    url: '',
    logFile: path.join(folder, 'part.log'),
    ready: () => (isReady() ? Promise.resolve() : Promise.reject(new Error('not ready'))),
  };
}

const start = (isReady: () => boolean) => startProcess(plan(isReady), owner);
const runs = () => until('it runs', () => processesNaming(folder).length === 1);
const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: Error) => error.message,
  );

describe('a process whose owner stops', () => {
  test('is stopped while it starts', async () => {
    const message = messageOf(start(() => false));
    await runs();
    await owner.stop(STOP_MS);
    expect(processesNaming(folder)).toEqual([]);
    expect(await message).toContain('part did not start');
  });

  test('is stopped while it starts again', async () => {
    let isReady = true;
    const part = await start(() => isReady);
    isReady = false;
    part.signal('SIGKILL');
    await part.ended();
    const message = messageOf(part.restart());
    await runs();
    expect(part.isUp).toBe(false);
    await owner.stop(STOP_MS);
    expect(processesNaming(folder)).toEqual([]);
    expect(await message).toContain('part did not start');
  });

  test('does not start again afterwards, nor does another one', async () => {
    const part = await start(() => true);
    await owner.stop(STOP_MS);
    await expect(part.restart()).rejects.toThrow('all of it stops');
    await expect(start(() => true)).rejects.toThrow('all of it stops');
  });

  test('has nothing to wait for when the program is not there', async () => {
    const missing = { ...plan(() => true), command: path.join(folder, 'missing') };
    await expect(startProcess(missing, owner)).rejects.toThrow('part did not start');
    await owner.stop(STOP_MS);
  });

  test('has stopped by itself when somebody else had killed it', async () => {
    const part = await start(() => true);
    part.signal('SIGKILL');
    await part.ended();
    await expect(owner.stop(STOP_MS)).resolves.toBeUndefined();
  });
});

test('a Postgres server whose owner stops is stopped when it is up, and does not start again', async () => {
  const starting = startPostgresServer({ dataDir: path.join(folder, 'data'), databases: [] }, owner);
  await until('it starts', async () => (await readdir(folder)).length > 0);
  await owner.stop(60_000);
  const server = await starting;
  expect(processesNaming(folder)).toEqual([]);
  await expect(server.restart()).rejects.toThrow('all of it stops');
});
