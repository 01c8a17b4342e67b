import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/cli/free-port.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { until } from '../client/until.ts';
import { type ManagedProcess, startProcess } from './managed-process.ts';
import { requireProgram } from './programs.ts';
import { DURABLE, ping } from './redis-server.ts';

export interface RedisClusterNode {
  port: number;
  /** of this node alone, for looking behind the scenes */
  url: string;
  process: ManagedProcess;
}

export interface RedisCluster {
  /** names every node */
  url: string;
  nodes: readonly RedisClusterNode[];
  /** @returns the node that has a key now, as another node knows it; @throws Error when none answers */
  masterOf(key: string): Promise<RedisClusterNode>;
  /** @returns the replicas of a node that are in step with it now */
  replicasOf(master: RedisClusterNode): Promise<RedisClusterNode[]>;
  stop(): Promise<void>;
}

export interface RedisClusterOptions {
  /** 3 unless given: fewer can't agree on a failover */
  masters?: number;
  /** of each master; 1 unless given */
  replicas?: number;
  /** after which a silent node counts as dead, 2 s unless given */
  nodeTimeoutMs?: number;
  /** further settings, which win */
  args?: readonly string[];
}

const SLOTS = 16_384;
const READY_MS = 60_000;

/** Quick to sync and to stop; a dead master's slots are down, and those of the others are not. */
const CLUSTERED = Object.entries({
  'cluster-enabled': 'yes',
  'cluster-require-full-coverage': 'no',
  'cluster-allow-replica-migration': 'no',
  'repl-diskless-sync-delay': '0',
  'shutdown-timeout': '0',
  // a replica that just synced writes its first append-only file, and would drop the signal
  'shutdown-on-sigterm': 'force',
}).flatMap(([name, value]) => [`--${name}`, value]);

/**
 * A Redis Cluster of our own on free ports of the loopback, its data below `<folder>/redis-<port>`.
 *
 * @param owner see {@link startProcess}
 * @throws Error when `redis-server` is not there, or the nodes do not come together
 */
export async function startRedisCluster(
  folder: string,
  o: RedisClusterOptions = {},
  owner?: Lifecycle,
): Promise<RedisCluster> {
  const { masters = 3, replicas = 1 } = o;
  const nodes: RedisClusterNode[] = [];
  const stop = async () => {
    await Promise.all(nodes.map(({ process }) => process.stop()));
  };
  try {
    for (const ports of await freePorts(masters * (1 + replicas))) {
      nodes.push(await startNode(folder, ports, o, owner));
    }
    await join(nodes, masters);
  } catch (error) {
    await stop().catch(() => {}); // the first error is the one that tells
    throw error;
  }
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    masterOf: (key) => masterOf(nodes, key),
    replicasOf: (master) => replicasOf(nodes, master),
    stop,
  };
}

/** Two ports a node: for clients, and for the others. */
async function freePorts(count: number): Promise<[port: number, busPort: number][]> {
  const ports = new Set<number>();
  while (ports.size < 2 * count) ports.add(await freePort());
  const all = [...ports];
  return all.slice(0, count).map((port, i) => [port, all[count + i] as number]);
}

async function startNode(
  folder: string,
  [port, busPort]: [port: number, busPort: number],
  { nodeTimeoutMs = 2_000, args = [] }: RedisClusterOptions,
  owner: Lifecycle | undefined,
): Promise<RedisClusterNode> {
  const dir = path.join(folder, `redis-${port}`);
  await mkdir(dir, { recursive: true });
  const places = ['--port', String(port), '--cluster-port', String(busPort), '--bind', '127.0.0.1', '--dir', dir];
  const timeout = ['--cluster-node-timeout', String(nodeTimeoutMs)];
  const process = await startProcess(
    {
      name: `redis ${port}`,
      command: requireProgram('redis-server', 'redis-server'),
      args: [...places, ...DURABLE, ...CLUSTERED, ...timeout, ...args],
      cwd: dir,
      env: {},
      url: '',
      logFile: path.join(folder, `redis-${port}.log`),
      ready: () => ping(port),
    },
    owner,
  );
  return { port, url: `redis://127.0.0.1:${port}`, process };
}

/** Shares the slots out among the first nodes, and gives each of them its replicas from the others in turn. */
async function join(nodes: readonly RedisClusterNode[], masters: number): Promise<void> {
  const clients = nodes.map(({ url }) => new Redis(url));
  try {
    const [first] = clients as [Redis, ...Redis[]];
    for (const [i, client] of clients.entries()) {
      await client.cluster('SET-CONFIG-EPOCH', i + 1);
      if (i < masters) {
        const from = Math.ceil((i * SLOTS) / masters);
        await client.cluster('ADDSLOTSRANGE', from, Math.ceil(((i + 1) * SLOTS) / masters) - 1);
      }
      const busPort = (await client.config('GET', 'cluster-port')) as [string, string];
      if (i > 0) await first.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[i]?.port), busPort[1]);
    }
    const all = (state: (client: Redis) => Promise<boolean>) => async () =>
      (await Promise.all(clients.map(state))).every(Boolean) || undefined;
    const knowsAll = async (client: Redis) =>
      field(await client.cluster('INFO'), 'cluster_known_nodes') === `${nodes.length}`;
    await until('the nodes know each other', all(knowsAll), { timeoutMs: READY_MS });
    for (const [i, client] of clients.entries()) {
      if (i < masters) continue;
      const master = clients[i % masters] as Redis;
      await client.cluster('REPLICATE', await master.cluster('MYID'));
    }
    await until('the replicas are in step', all(isInStep), { timeoutMs: READY_MS });
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function isInStep(client: Redis): Promise<boolean> {
  const [info, replication] = [await client.cluster('INFO'), await client.info('replication')];
  const isUp = field(replication, 'role') === 'master' || field(replication, 'master_link_status') === 'up';
  return isUp && field(info, 'cluster_state') === 'ok' && field(info, 'cluster_slots_ok') === String(SLOTS);
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

async function masterOf(nodes: readonly RedisClusterNode[], key: string): Promise<RedisClusterNode> {
  for (const { url, process } of nodes) {
    if (!process.isUp) continue;
    const port = await onNode(url, async (redis) => {
      const slot = await redis.cluster('KEYSLOT', key);
      const ranges = await redis.cluster('SLOTS');
      return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2]?.[1];
    });
    const master = nodes.find((node) => node.port === port);
    if (master) return master;
  }
  throw new Error(`no node tells where ${key} is`);
}

async function replicasOf(nodes: readonly RedisClusterNode[], master: RedisClusterNode): Promise<RedisClusterNode[]> {
  const info = await onNode(master.url, (redis) => redis.info('replication'));
  const ports = [...info.matchAll(/^slave\d+:ip=[^,]*,port=(\d+),state=online/gm)].map(([, port]) => Number(port));
  return nodes.filter(({ port }) => ports.includes(port));
}

async function onNode<T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { retryStrategy: () => null, connectTimeout: 2_000, socketTimeout: 2_000 });
  redis.on('error', () => {}); // the question fails with it
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
