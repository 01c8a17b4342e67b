import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import { serverOwner } from '../../src/cli/server-owner.ts';
import { processesNaming } from '../support/processes.ts';
import { until } from '../support/until.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-embedded-'));
  await chmod(folder, 0o755); // root's server runs as another user, who must get in
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @returns the pid of a process that has ended, and whose parent asks how only when it ends itself, two seconds later */
async function endedButNotReaped(): Promise<number> {
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 2'], { ...serverOwner().ids, cwd: '/' });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  await until('it has ended', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
  return pid;
}

test.runIf(process.platform === 'linux')(
  'after kill -9 a server starts again, also when its predecessor has ended and was not reaped yet',
  async () => {
    const dataDir = path.join(folder, 'postgres');
    await (await startEmbeddedPostgres({ dataDir, databases: [] })).stop();
    const pidFile = path.join(dataDir, 'postmaster.pid');
    await writeFile(pidFile, `${await endedButNotReaped()}\n${dataDir}\n`);
    await serverOwner().own(pidFile);
    const again = await startEmbeddedPostgres({ dataDir, databases: ['kept'] });
    expect(readFileSync(pidFile, 'utf8').split('\n')[0]).toBe(String(again.pid));
    await again.stop();
  },
);

test.runIf(process.platform === 'linux')('a start that fails once the server runs leaves none behind', async () => {
  const dataDir = path.join(folder, 'postgres');
  await expect(startEmbeddedPostgres({ dataDir, databases: [''] })).rejects.toThrow('zero-length delimited identifier');
  const left = processesNaming(folder);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  expect(left).toEqual([]);
});
