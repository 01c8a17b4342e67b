import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openHome, openSecrets, type Runtime, saveRuntime } from '../../src/cli/home.ts';
import { findQueue, findTokenSecret } from '../../src/cli/operator.ts';
import { identify, type ProcessIdentity } from '../../src/cli/process-identity.ts';

const SECRET = 'a-secret-that-up-was-started-with';
const self = identify(process.pid) as ProcessIdentity;
const oldRuntime = { process: self, directoryUrl: 'postgres://up/directory', queueUrl: 'redis://up' };
const runtime: Runtime = {
  ...oldRuntime,
  queuePrefix: 'hill',
  queueReplicas: 1,
  queueDurability: 'accept-loss',
  tokenSecret: SECRET,
};
const ofUp = { queueUrl: 'redis://up', queuePrefix: 'hill', queueReplicas: 1, queueDurability: 'accept-loss' };
const defaults = { queuePrefix: 'liftline', queueReplicas: 0, queueDurability: 'strict' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-operator-'));
  const names = ['DIRECTORY_URL', 'QUEUE_URL', 'QUEUE_PREFIX', 'QUEUE_REPLICAS', 'QUEUE_DURABILITY', 'TOKEN_SECRET'];
  setAll({ ...Object.fromEntries(names.map((name) => [name, ''])), LIFTLINE_HOME: folder });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function setAll(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
}

/** Leaves behind what a running `up` has written. */
async function runs(written: Runtime = runtime): Promise<void> {
  const home = await openHome(folder);
  await saveRuntime(home, written);
  await home.release();
}

describe('the queue', () => {
  test.each([
    ['of a running up is told as that up has it', {}, ofUp],
    ['keeps what the environment of the command says', { QUEUE_PREFIX: 'dale' }, { ...ofUp, queuePrefix: 'dale' }],
    ['has the prefix of the up whose directory is used, also where its URL is set', { QUEUE_URL: 'redis://up' }, ofUp],
    [
      'of another installation has nothing of the up that runs here',
      { DIRECTORY_URL: 'postgres://other/d', QUEUE_URL: 'redis://up' },
      { queueUrl: 'redis://up', ...defaults },
    ],
  ])('%s', async (_, env, expected) => {
    await runs();
    setAll(env);
    expect(await findQueue()).toEqual(expected);
  });

  test('of an up of an older version, which did not write how it was started, has the defaults', async () => {
    await runs(oldRuntime);
    expect(await findQueue()).toEqual({ queueUrl: 'redis://up', ...defaults });
  });

  test('of an up that has ended is not looked for', async () => {
    await runs({ ...runtime, process: { ...self, startedAt: '1' } });
    await expect(findQueue()).rejects.toThrow('no liftline runs in');
  });
});

describe('the secret of tokens', () => {
  test('is the one that the running up has, and the command’s own before it', async () => {
    await runs();
    expect(await findTokenSecret()).toBe(SECRET);
    expect((await stat(path.join(folder, 'runtime.json'))).mode & 0o777).toBe(0o600);
    const own = 'a-secret-of-this-command-alone-32';
    setAll({ TOKEN_SECRET: own });
    expect(await findTokenSecret()).toBe(own);
  });

  test.each<[string, Runtime]>([
    ['has ended', { ...runtime, process: { ...self, startedAt: '1' } }],
    ['is of an older version', oldRuntime],
  ])('is the home’s where an up %s', async (_, written) => {
    const home = await openHome(folder);
    const { tokenSecret } = await openSecrets(home);
    await home.release();
    await runs(written);
    expect(await findTokenSecret()).toBe(tokenSecret);
  });

  test('is missed where there is neither', async () => {
    await expect(findTokenSecret()).rejects.toThrow('TOKEN_SECRET is not set');
  });
});
