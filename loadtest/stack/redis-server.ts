import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/cli/free-port.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { type ManagedProcess, startProcess } from './managed-process.ts';
import { requireProgram } from './programs.ts';

export interface RedisServer {
  url: string;
  process: ManagedProcess;
}

/** As production runs it: no eviction, and every write on disk before it is confirmed. */
export const DURABLE: readonly string[] = [
  '--appendonly',
  'yes',
  '--appendfsync',
  'always',
  '--maxmemory-policy',
  'noeviction',
  '--save',
  '',
];

export interface RedisPlan {
  /** further settings, which win over the durable ones */
  args?: readonly string[];
  /** where its data is, `<folder>/redis` unless given */
  dir?: string;
  env?: Record<string, string>;
}

/**
 * A Redis server of our own on a free port, its log in `<folder>/redis.log`.
 *
 * @param owner see {@link startProcess}
 * @throws Error when `redis-server` is not there or does not start
 */
export async function startRedisServer(folder: string, plan: RedisPlan = {}, owner?: Lifecycle): Promise<RedisServer> {
  const program = requireProgram('redis-server', 'redis-server');
  const { args = [], dir = path.join(folder, 'redis'), env = {} } = plan;
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const process = await startProcess(
    {
      name: 'redis',
      command: program,
      args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...DURABLE, ...args],
      cwd: dir,
      env,
      url: '',
      logFile: path.join(folder, 'redis.log'),
      ready: () => ping(port),
    },
    owner,
  );
  return { url: `redis://127.0.0.1:${port}`, process };
}

/** @throws Error when the server on that port does not answer */
export async function ping(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {}); // `connect` rejects with it
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
