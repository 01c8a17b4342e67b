import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processesNaming } from '../support/processes.ts';
import { until, whileRunning } from '../support/until.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const START_MS = 60_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-stopped-test-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @returns whether a stack below the folder has begun to start its processes */
async function startsProcesses(): Promise<boolean> {
  const [stack] = await readdir(folder);
  return (
    stack !== undefined && (await readdir(path.join(folder, stack))).some((name) => /^worker-\d+\.log$/.test(name))
  );
}

test('npm run loadtest, told again and again to stop while its stack starts: exit 130, nothing stays behind', async () => {
  const command = [path.join(PROJECT, 'loadtest/k6-on-node/run.ts'), 'steady', '--results', folder];
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, command, { cwd: PROJECT, env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until('its processes start', startsProcesses, START_MS);
  const toldAgain = async () => {
    child.kill('SIGINT');
    await delay(100); // signals that come at once are one
  };
  expect(await whileRunning(ended, toldAgain)).toEqual([130, null]);
  expect(await readdir(folder)).toEqual([]);
  expect(processesNaming(folder)).toEqual([]);
}, 180_000);
