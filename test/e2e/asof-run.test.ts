import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesNaming } from '../support/processes.ts';
import { redisAvailable } from '../support/redis.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
/** Two stacks are started meanwhile, which takes longer. */
const SECONDS = '8';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-asof-test-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Report {
  runs: { isControl: boolean; acked: number; reports: { source: string; answers: number; lies: unknown[] }[] }[];
}

const liesOf = (run: Report['runs'][number] | undefined) =>
  run?.reports.reduce((sum, { lies }) => sum + lies.length, 0);

describe.each(['redis', 'postgres'])('npm run asof, queue on %s', (queue) => {
  test.skipIf(queue === 'redis' && !redisAvailable)(
    'no answer lies, the control does and is caught, nothing stays behind',
    async () => {
      const args = ['--queue', queue, '--seconds', SECONDS, '--seed', 'e2e'];
      const command = [path.join(PROJECT, 'loadtest/asof.ts'), ...args];
      const env = { ...process.env, TMPDIR: folder };
      const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: PROJECT, env });
      expect(stdout).toContain('everything as it must be');
      const [, json = ''] = /written to (\S+\.json)/.exec(stdout) ?? [];
      const { runs } = JSON.parse(await readFile(path.join(PROJECT, json), 'utf8')) as Report;
      const [real, control] = runs;
      expect([real?.isControl, liesOf(real), control?.isControl]).toEqual([false, 0, true]);
      expect(liesOf(control)).toBeGreaterThan(0);
      const sources = real?.reports.map(({ source }) => source);
      expect(sources).toEqual(['rides-0', 'rides-1', 'replica', 'rides-0 at the end', 'rides-1 at the end']);
      expect(await readdir(folder)).toEqual([]);
      expect(processesNaming(folder)).toEqual([]);
    },
    300_000,
  );
});
