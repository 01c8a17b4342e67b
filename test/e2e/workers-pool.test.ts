import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { scanLoad } from '../../loadtest/bench/scan-load.ts';
import { readBooks, untilDrained } from '../../loadtest/course/conservation.ts';
import { liftlineProcess } from '../../loadtest/stack/liftline.ts';
import type { ManagedProcess } from '../../loadtest/stack/managed-process.ts';
import { type Stack, startStack } from '../../loadtest/stack.ts';
import { processesNaming, runLiftline } from '../support/processes.ts';
import { redisAvailable } from '../support/redis.ts';
import { until } from '../support/until.ts';

let stack: Stack;
let pool: ManagedProcess | undefined;
let marker = 0;

beforeAll(async () => {
  stack = await startStack({ queue: redisAvailable ? 'redis' : 'postgres', workers: 0, rides: 0 });
}, 240_000);
afterAll(() => stack.stop());
afterEach(async () => {
  if (pool?.isUp) await pool.stop();
  pool = undefined;
  await until('nothing of the pool is left', () => members().length === 0, 60_000);
}, 120_000);

/** The supervisor and its workers, known by their environment. */
const members = () => processesNaming(`POOL_TEST=${stack.folder}-${marker}`);
const workers = () => members().filter((pid) => pid !== pool?.pid && isWorker(pid));

function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes('worker');
  } catch {
    return false;
  }
}

async function startPool(args: string[], env: Record<string, string> = {}): Promise<ManagedProcess> {
  marker += 1;
  pool = await liftlineProcess({
    kind: 'workers',
    args,
    name: `pool-${marker}`,
    folder: stack.folder,
    env: {
      ...stack.env,
      POOL_TEST: `${stack.folder}-${marker}`,
      LOCK_MS: '2000',
      STALL_CHECK_MS: '500',
      STATEMENT_TIMEOUT_MS: '2000',
      STUCK_MS: '6000',
      ...env,
    },
  });
  return pool;
}

async function post(count: number): Promise<void> {
  const load = { url: stack.edges[0]?.url ?? '', deviceKey: stack.deviceKey, connections: 4, scansPerPost: 10 };
  expect(await scanLoad({ ...load, count })).toMatchObject({ acked: count, refused: 0 });
}

const books = () => ({ opsUrl: stack.ops.url, adminKey: stack.adminKey });
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${pool?.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

test('stores what comes in, replaces a worker that is killed or stopped, and leaves nothing behind when it is told to end', async () => {
  const running = await startPool(['--min', '2', '--max', '2']);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  const before = (await readBooks(books())).persisted;
  await post(500);
  await untilDrained(books(), 60_000);
  await until('the metrics of the workers', async () => (await metric('liftline_worker_scans_total')) === 500, 20_000);

  const [killed, stopped] = workers() as [number, number];
  process.kill(killed, 'SIGKILL');
  process.kill(stopped, 'SIGSTOP');
  await post(500);
  await until(
    'both are replaced',
    async () => {
      const now = workers();
      return (
        now.length === 2 && !now.includes(killed) && !now.includes(stopped) && (await fetch(`${running.url}/readyz`)).ok
      );
    },
    60_000,
  );
  expect(await metric('liftline_pool_restarts_total{cause="ended"}')).toBe(1);
  expect(await metric('liftline_pool_restarts_total{cause="silent"}')).toBe(1);
  expect(await untilDrained(books(), 60_000)).toMatchObject({ persisted: before + 1_000, dead: 0, jobsUnaccounted: 0 });

  await running.stop();
  expect(await running.ended()).toBe(0);
  expect(members()).toEqual([]);
}, 300_000);

test('killed with -9 it leaves no workers behind', async () => {
  const running = await startPool(['--min', '2', '--max', '2']);
  expect(workers()).toHaveLength(2);
  running.signal('SIGKILL');
  await running.ended();
  await until('its workers end', () => members().length === 0, 60_000);
}, 180_000);

test.each([
  [['workers'], '--max'],
  [['workers', '--min', '3', '--max', '2'], '--min (3) must not be more than --max (2)'],
  [['workers', '--max', '0'], '1 to 256'],
])(
  '%j does not start',
  async (args, problem) => {
    const run = runLiftline(args, { ...stack.env });
    expect(await run.exit(60_000)).toBe(1);
    expect(run.output()).toContain(problem);
  },
  90_000,
);

test('wrong settings of the workers are found before the first one starts', async () => {
  const run = runLiftline(['workers', '--max', '2'], { ...stack.env, LOCK_MS: 'long', QUEUE_URL: '' });
  expect(await run.exit(60_000)).toBe(1);
  for (const name of ['LOCK_MS', 'QUEUE_URL']) expect(run.output()).toContain(name);
}, 90_000);
