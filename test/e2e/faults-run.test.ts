import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisAvailable } from '../support/redis.ts';
import { processesNaming } from '../support/processes.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
/** Few enough that starting the stacks takes most of the time; three of them take half a minute on a quiet machine. */
const ACKS = '1500';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-faults-test-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `npm run faults`, its data below a folder of the test's own. */
async function faults(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const command = [path.join(PROJECT, 'loadtest/faults.ts'), ...args];
  const env = { ...process.env, TMPDIR: folder };
  return promisify(execFile)(process.execPath, command, { cwd: PROJECT, env }).then(
    ({ stdout }) => ({ exitCode: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      exitCode: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}

test('a fault that there is not is named, and nothing is started', async () => {
  const { exitCode, output } = await faults('worker-kil');
  expect(exitCode).toBe(1);
  expect(output).toContain('worker-kill');
  expect(await readdir(folder)).toEqual([]);
});

describe.skipIf(!redisAvailable)('npm run faults', () => {
  test('the checker proves itself, a fault loses nothing, its control is caught, nothing stays behind', async () => {
    const { exitCode, output } = await faults('self-check', 'redis-kill', '--acks', ACKS, '--seed', 'e2e');
    expect(output).toContain('everything as it must be');
    expect(exitCode).toBe(0);
    const rows = output.split('\n').filter((line) => line.startsWith('| '));
    const verdicts = rows.map((line) => line.split('|').map((cell) => cell.trim())).map((row) => [row[1], row.at(-2)]);
    expect(verdicts.slice(2)).toEqual([
      ['self-check', 'nothing lost'],
      ['redis-kill', 'nothing lost'],
      ['redis-kill, control', 'loss reported, as it must be'],
    ]);
    const [, json, page] = /written to (\S+\.json) and (\S+\.html)/.exec(output) ?? [];
    const report = JSON.parse(await readFile(path.join(PROJECT, json ?? ''), 'utf8')) as { runs: unknown[] };
    expect(report.runs).toHaveLength(3);
    expect((await readFile(path.join(PROJECT, page ?? ''), 'utf8')).match(/<svg/g)).toHaveLength(3);
    expect(await readdir(folder)).toEqual([]);
    expect(processesNaming(folder)).toEqual([]);
  }, 300_000);
});
