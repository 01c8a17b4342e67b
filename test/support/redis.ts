import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/cli/free-port.ts';
import { findTool } from './tools.ts';
import { until } from './until.ts';

/** Whether this machine has a Redis server; for `describe.skipIf(!redisAvailable)`. */
export const redisAvailable = findTool('redis') !== undefined;

export interface TestRedis {
  url: string;
  pid: number;
  port: number;
  /** sends a signal, e.g. SIGSTOP, SIGCONT or SIGKILL */
  signal(signal: NodeJS.Signals): void;
  /** starts it again on the same port and folder, after a kill */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis server of the test's own, as production runs it: `noeviction`, an append-only file that is synced always. */
export async function startRedis(options: { args?: string[] } = {}): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const start = () => launch(port, folder, options.args ?? []);
  let child = await start();
  return {
    url,
    port,
    get pid() {
      return child.pid as number;
    },
    signal: (signal) => {
      child.kill(signal);
    },
    async restart() {
      await ended(child);
      child = await start();
    },
    async stop() {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, folder: string, args: string[]): Promise<ChildProcess> {
  const program = findTool('redis');
  if (!program) throw new Error('redis-server is not on PATH');
  const settings = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', '--save', ''];
  const child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...settings, ...args], {
    stdio: 'ignore',
  });
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {}); // refused until it listens; `until` reports what remains
  try {
    await until('redis answers', async () => {
      if (client.status !== 'ready') await client.connect();
      return (await client.ping()) === 'PONG';
    });
  } finally {
    client.disconnect();
  }
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}
