import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WorkerChildren } from '../../src/cli/worker-children.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { settledScans } from '../../workers/worker-report.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

const PROGRAM = path.join(import.meta.dirname, 'pool-child-process.ts');
const OWNER = path.join(import.meta.dirname, 'pool-owner-process.ts');
/** Short, and yet longer than a process takes to start on a busy machine. */
const SILENT_MS = 4_000;

let folder: string;
let pidFile: string;
let lifecycle: Lifecycle;
const log = recordedLog();

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-pool-'));
  pidFile = path.join(folder, 'pids');
  lifecycle = new Lifecycle({ logger: log.logger });
});

afterEach(async () => {
  await lifecycle.stop(10_000);
  const left = (await pids()).filter(isAlive);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
  if (left.length > 0) throw new Error(`children are left: ${left.join(', ')}`);
});

/** of every child that was ever started, in order */
async function pids(): Promise<number[]> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function start(mode: string, o: { count?: number; stopMs?: number; silentMs?: number } = {}) {
  const restarts: string[] = [];
  const pool = new WorkerChildren({
    program: PROGRAM,
    args: [mode, pidFile],
    env: { ...process.env },
    count: o.count ?? 1,
    stopMs: o.stopMs ?? 5_000,
    silentMs: o.silentMs ?? 60_000,
    logger: log.logger,
    lifecycle,
    onRestart: (cause) => restarts.push(cause),
  });
  return { pool, restarts };
}

const alive = async () => (await pids()).filter(isAlive);
const untilAlive = (count: number) => until(`${count} run`, async () => (await alive()).length === count, 20_000);

test('as many run as there are to be, more and fewer, and those that go are let go', async () => {
  const { pool } = start('works');
  await until('it is ready', () => pool.isReady() === true && pool.ready === 1, 20_000);
  const [first] = await pids();
  pool.resize(3);
  expect([pool.size, pool.isReady()]).toEqual([3, 'worker 2 is starting']);
  await until('all are ready', () => pool.ready === 3, 20_000);
  pool.resize(1);
  expect(pool.size).toBe(1);
  await untilAlive(1);
  expect(await alive()).toEqual([first]);
  pool.resize(2);
  await until('both are ready', () => pool.ready === 2, 20_000);
  await pool.stop();
  expect(await alive()).toEqual([]);
});

test('sums do not go down because a worker went', async () => {
  const { pool } = start('works', { count: 3 });
  await until('all have counted', () => pool.ready === 3 && settledScans(pool.metrics()) >= 90, 20_000);
  const before = settledScans(pool.metrics());
  pool.resize(1);
  await untilAlive(1);
  expect(settledScans(pool.metrics())).toBeGreaterThanOrEqual(before);
  for (let round = 0; round < 12; round += 1) {
    const seen = settledScans(pool.metrics());
    pool.resize(2);
    await until('both are ready', () => pool.ready === 2, 20_000);
    pool.resize(1);
    await untilAlive(1);
    expect(settledScans(pool.metrics())).toBeGreaterThanOrEqual(seen);
  }
  expect(pool.metrics().length).toBeLessThanOrEqual(11);
}, 60_000);

test('one that is killed is started again', async () => {
  const { pool, restarts } = start('works');
  await until('it is ready', () => pool.ready === 1, 20_000);
  process.kill((await pids())[0] as number, 'SIGKILL');
  await until('another one is ready', async () => pool.ready === 1 && (await pids()).length === 2, 20_000);
  expect(restarts).toEqual(['ended']);
});

test('one that keeps failing is started ever more slowly', async () => {
  const startedAt = performance.now();
  start('dies');
  await until('four attempts', async () => (await pids()).length === 4, 30_000);
  expect(performance.now() - startedAt).toBeGreaterThan(200 + 400 + 800);
});

test.each([
  ['is stopped', 'works', 'SIGSTOP'],
  ['blocks its event loop', 'blocks', undefined],
] as const)('one that %s is killed and replaced', async (_how, mode, signal) => {
  const { pool, restarts } = start(mode, { silentMs: SILENT_MS });
  await until('it is ready', () => pool.ready === 1, 20_000);
  const [first] = (await pids()) as [number];
  if (signal) process.kill(first, signal);
  await until('another one runs', async () => (await pids()).length >= 2, 20_000);
  expect(isAlive(first)).toBe(false);
  expect(restarts[0]).toBe('silent');
});

test('one that reports to be stuck is let go and replaced', async () => {
  const { restarts } = start('gets stuck');
  await until('another one runs', async () => (await pids()).length >= 2, 20_000);
  expect(restarts[0]).toBe('stuck');
  expect(log.messages()).toContain('a worker makes no progress: ending it');
});

test('one that reports all the time is left alone', async () => {
  const { pool, restarts } = start('works', { silentMs: SILENT_MS });
  await until('it is ready', () => pool.ready === 1, 20_000);
  const seen = settledScans(pool.metrics());
  // as many reports as fit into the time after which a silent one is killed, twice
  await until('time has passed', () => settledScans(pool.metrics()) >= seen + (2 * SILENT_MS * 10) / 50, 30_000);
  expect([await pids(), restarts]).toEqual([await alive(), []]);
});

test('one that does not end is killed at the deadline', async () => {
  const { pool } = start('never ends', { stopMs: 300 });
  await until('it is ready', () => pool.ready === 1, 20_000);
  await pool.stop();
  expect(await alive()).toEqual([]);
  expect(log.messages()).toContain('worker did not drain in time');
});

test('when their owner is killed with -9, all of them end', async () => {
  const owner = spawn(process.execPath, [OWNER, PROGRAM, pidFile], { stdio: 'inherit' });
  await untilAlive(2);
  owner.kill('SIGKILL');
  await untilAlive(0);
  expect(await pids()).toHaveLength(2);
});
