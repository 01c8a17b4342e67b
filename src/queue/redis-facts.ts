import { Redis } from 'ioredis';
import { type ClusterAddress, parseClusterUrl } from '../platform/queue-url.ts';
import { askRedis } from './ask-redis.ts';
import { clusterNodes, loginOf, onNode } from './redis-cluster.ts';

/** What one server tells of itself; what it hides is undefined. */
export interface RedisFacts {
  /** host and port */
  name: string;
  /** another one each time it starts; the same by whatever address it is reached */
  runId: string | undefined;
  /** bytes; 0 is no limit */
  maxMemory: number | undefined;
  settings: ReadonlyMap<string, string>;
  /** whether it is a node of a cluster */
  isClusterNode: boolean | undefined;
  /** whether it takes writes, and how many replicas follow it */
  role: 'master' | 'replica' | undefined;
  replicas: number | undefined;
}

const SETTINGS = ['maxmemory-policy', 'appendonly', 'appendfsync', 'cluster-require-full-coverage'];
const TIMEOUT_MS = 5_000;
const REFUSED = /unknown (sub)?command|NOPERM|no permissions/i;
const NO_CLUSTER = /cluster support disabled/i;

/**
 * Asks the server, or every node of a cluster: its masters must answer, a replica that is away is left out.
 *
 * @returns undefined when the URL is a cluster's and the server is none
 * @throws Error when a server that must answer does not
 */
export async function readRedisFacts(queueUrl: string): Promise<RedisFacts[] | undefined> {
  const cluster = parseClusterUrl(queueUrl);
  if (cluster) return readCluster(cluster);
  const { hostname, port } = new URL(queueUrl);
  return askRedis(
    (options) => new Redis(queueUrl, options),
    TIMEOUT_MS,
    async (redis) => [await readOne(redis, `${hostname}:${port || 6379}`)],
  );
}

async function readCluster(cluster: ClusterAddress): Promise<RedisFacts[] | undefined> {
  const login = loginOf(cluster);
  const ask = (node: { host: string; port: number }) =>
    onNode(node, login, TIMEOUT_MS, (redis) => readOne(redis, `${node.host}:${node.port}`));
  try {
    const { masters, replicas } = await clusterNodes(cluster, TIMEOUT_MS);
    const answers = await Promise.allSettled(replicas.map(ask));
    const there = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return [...(await Promise.all(masters.map(ask))), ...there];
  } catch (error) {
    if (NO_CLUSTER.test((error as Error).message)) return undefined;
    throw error;
  }
}

/** `INFO` tells some of what `CONFIG` does, where that is not allowed. */
async function readOne(redis: Redis, name: string): Promise<RedisFacts> {
  const info = (await unlessRefused(redis.info())) ?? '';
  const told = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
  const settings = new Map<string, string>();
  const policy = told('maxmemory_policy');
  if (policy) settings.set('maxmemory-policy', policy);
  const aof = told('aof_enabled');
  if (aof) settings.set('appendonly', aof === '1' ? 'yes' : 'no');
  for (const setting of SETTINGS) {
    const [, value] = ((await unlessRefused(redis.config('GET', setting))) ?? []) as [string?, string?];
    if (value !== undefined) settings.set(setting, value);
  }
  const role = told('role');
  const isClusterNode = told('cluster_enabled');
  const replicas = told('connected_slaves');
  return {
    name,
    runId: told('run_id'),
    maxMemory: told('maxmemory') === undefined ? undefined : Number(told('maxmemory')),
    settings,
    isClusterNode: isClusterNode === undefined ? undefined : isClusterNode === '1',
    role: role === undefined ? undefined : role === 'master' ? 'master' : 'replica',
    replicas: replicas === undefined ? undefined : Number(replicas),
  };
}

async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (REFUSED.test((error as Error).message)) return undefined;
    throw error;
  }
}
