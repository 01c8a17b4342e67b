import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/free-port.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { buryScan } from '../support/dead-letter.ts';
import { scanNo } from '../support/nodes.ts';
import { processesNaming, type Run, runLiftline } from '../support/processes.ts';
import { until } from '../support/until.ts';

const SKIER = 77;
const ROOT = path.resolve(import.meta.dirname, '../..');

describe('operating a running up', { timeout: 180_000 }, () => {
  let home: string;
  let up: Run;
  let url: string;
  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'liftline-home-'));
    await chmod(home, 0o711); // root's Postgres runs as another user, who must get in
    const port = String(await freePort());
    url = `http://127.0.0.1:${port}`;
    const own = { QUEUE_PREFIX: 'hill', TOKEN_SECRET: 'a-secret-that-only-this-up-was-given' };
    up = runLiftline(['up'], { LIFTLINE_HOME: home, PORT: port, WORKERS: '1', ...own });
    await until('up is ready', async () => (await fetch(`${url}/readyz`)).ok, 120_000);
  }, 180_000);
  afterAll(async () => {
    up.child.kill('SIGTERM');
    await up.exit(60_000);
    for (const pid of processesNaming(home)) process.kill(pid, 'SIGKILL');
    await rm(home, { recursive: true, force: true });
  });

  async function liftline(...args: string[]) {
    const run = runLiftline(args, { LIFTLINE_HOME: home });
    return { code: await run.exit(60_000), output: run.output() };
  }

  test('the commands find it by its home', async () => {
    const doctor = await liftline('doctor');
    expect(doctor.output).not.toMatch(/^fail/m);
    expect(doctor.output).toMatch(/^ok +port +http:\S+ answers and is ready$/m);
    expect(doctor.output).toMatch(/^ok +shards +64 of 64 /m);
    expect(doctor.code).toBe(0);
    expect((await liftline('queue', 'status')).output).toMatch(/^all +0 +0 +0 +0 +0 +- +\d+$/m);
    expect(await liftline('queue', 'failed')).toEqual({ code: 0, output: 'no failed jobs\n' });
    expect(await liftline('dead', 'discard', '--all', '--dry-run')).toEqual({
      code: 0,
      output: 'no dead letters\nwould discard 0; nothing was changed\n',
    });
  });

  test('with the queue and the secret that it was started with: what is replayed is stored, and a token reads it', async () => {
    const { directoryUrl } = JSON.parse(await readFile(path.join(home, 'runtime.json'), 'utf8')) as Record<
      string,
      string
    >;
    const nodeUrl = (directoryUrl ?? '').replace('liftline_directory', 'liftline_node_a');
    const shard = shardOf(SKIER, 64);
    await buryScan(nodeUrl, scanNo(1, { skierId: SKIER }), { lane: laneOf(shard, 4), shard });
    expect(await liftline('dead', 'replay', '--all', '--yes')).toEqual({ code: 0, output: 'replayed 1\n' });
    const token = (await liftline('token', '--skier', String(SKIER))).output.trim();
    const rides = await until('the ride is there', async () => {
      const reply = await fetch(`${url}/v1/skiers/${SKIER}/rides`, { headers: { authorization: `Bearer ${token}` } });
      const page = (await reply.json()) as { rides?: object[]; code?: string };
      return page.code ?? (page.rides?.length ? page.rides.length : undefined);
    });
    expect(rides).toBe(1);
  });
});

/** @returns how many files of the pages' packages a process has loaded that serves ops, and does `more` */
const loaded = (more: string) =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createRequire } from 'node:module';
       await import('${path.join(ROOT, 'src/cli/serve-ops.ts')}');
       ${more}
       console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('@bull-board')).length);`,
    ],
    { cwd: ROOT, encoding: 'utf8' },
  ).trim();

test('the packages of the queue’s pages are not loaded before somebody looks', () => {
  expect(loaded('')).toBe('0');
  expect(Number(loaded(`await import('@bull-board/api');`))).toBeGreaterThan(10);
}, 60_000);
