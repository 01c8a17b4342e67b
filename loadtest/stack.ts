import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sampleResorts } from '../src/directory/sample-resorts.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { liftlineProcess, runLiftline } from './stack/liftline.ts';
import type { ManagedProcess } from './stack/managed-process.ts';
import { buildOwned } from './stack/owned.ts';
import { type PostgresServer, startPostgresServer } from './stack/postgres-server.ts';
import { type RedisCluster, type RedisClusterOptions, startRedisCluster } from './stack/redis-cluster.ts';
import { type RedisPlan, type RedisServer, startRedisServer } from './stack/redis-server.ts';

export interface StackOptions {
  /** where the lanes live */
  queue: 'redis' | 'postgres';
  edges?: number;
  rides?: number;
  workers?: number;
  /** each Postgres node, the directory, and the lanes on a server of its own, so that they can be stopped one by one */
  separateServers?: boolean;
  /** the lanes live on a Redis Cluster, and not on one Redis */
  redisCluster?: RedisClusterOptions;
  /** settings of every process, over those made here */
  env?: Record<string, string>;
  /** settings of one process over those of all, by its name, e.g. `worker-0` */
  envOf?: (processName: string) => Record<string, string>;
  /** further settings of the Redis server */
  redisArgs?: readonly string[];
  /** where Redis keeps its data: an existing folder, its own unless given */
  redisDir?: string;
  /** the Redis server's environment, e.g. a library to preload */
  redisEnv?: Record<string, string>;
  /** of a node, `alpha` or `beta`, with separate servers: where its data is to be, and further server settings */
  nodeServer?: (name: string) => { dataDir?: string; settings?: Record<string, string> };
  /** what the directory is told of a node's address, e.g. a proxy's; {@link Stack.nodes} keeps the server's own */
  nodeUrl?: (name: string, url: string) => string | Promise<string>;
}

/** A split Liftline, every part a process of its own on a free loopback port. */
export interface Stack {
  /** everything it keeps, data and logs; gone after {@link stop} */
  folder: string;
  deviceKey: string;
  adminKey: string;
  tokenSecret: string;
  edges: ManagedProcess[];
  rides: ManagedProcess[];
  ops: ManagedProcess;
  workers: ManagedProcess[];
  redis: RedisServer | undefined;
  redisCluster: RedisCluster | undefined;
  directoryServer: PostgresServer;
  /** in the order in which they were named to `init`; one server may be all of them */
  nodes: { name: string; url: string; server: PostgresServer }[];
  directoryUrl: string;
  queueUrl: string;
  queuePrefix: string;
  shardCount: number;
  laneCount: number;
  /** the settings that its processes run with */
  env: Readonly<Record<string, string>>;
  /** Stops all of it and leaves nothing behind. @throws Error when something had to be killed */
  stop(): Promise<void>;
}

const SHARDS = 64;
const LANES = 4;
const STOP_MS = 60_000;
const NODE_NAMES = ['alpha', 'beta'];

/**
 * Starts a split stack. The data is below the system's folder for temporary files (`TMPDIR`); where that is in memory, no
 * fsync costs anything: see the machine's description in the results.
 *
 * @param owner see {@link buildOwned}
 * @throws Error when a part does not start; whatever was started is stopped again
 */
export function startStack(o: StackOptions, owner?: Lifecycle): Promise<Stack> {
  return buildOwned({ name: 'stack', stopMs: STOP_MS, owner }, (lifecycle) => build(o, lifecycle));
}

async function build(o: StackOptions, lifecycle: Lifecycle): Promise<Stack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-stack-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
  lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
  const databases = await startDatabases(folder, o, lifecycle);
  const lanes = o.queue === 'redis' ? await startLanes(folder, o, lifecycle) : {};

  const secrets = { adminKey: `ll_adm_${randomSecret()}`, tokenSecret: randomSecret() };
  const env = {
    DIRECTORY_URL: databases.directoryUrl,
    QUEUE_URL: lanes.redis?.url ?? lanes.redisCluster?.url ?? databases.queueUrl,
    QUEUE_PREFIX: 'liftline',
    ADMIN_KEY: secrets.adminKey,
    TOKEN_SECRET: secrets.tokenSecret,
    SKI_DATA_API: 'open',
    DEVICE_SCANS_PER_S: '0', // all load comes from one device
    LEAVE_MS: '0',
    LOG_LEVEL: 'warn',
    ...o.env,
  };
  const deviceKey = await initialise(folder, await addressesOf(o, databases), env);
  const processes = await startProcesses(o, folder, env, lifecycle);
  return {
    folder,
    deviceKey,
    ...secrets,
    ...processes,
    ...databases,
    redis: lanes.redis,
    redisCluster: lanes.redisCluster,
    queueUrl: env.QUEUE_URL,
    queuePrefix: env.QUEUE_PREFIX,
    shardCount: SHARDS,
    laneCount: LANES,
    env,
    stop: () => lifecycle.stop(STOP_MS),
  };
}

type Databases = Pick<Stack, 'directoryServer' | 'nodes' | 'directoryUrl' | 'queueUrl'>;

async function startDatabases(folder: string, o: StackOptions, lifecycle: Lifecycle): Promise<Databases> {
  const areSeparate = o.separateServers ?? false;
  const start = (name: string, databases: string[]): Promise<PostgresServer> =>
    startPostgresServer({ dataDir: path.join(folder, name), databases, ...o.nodeServer?.(name) }, lifecycle);
  const main = await start('postgres', ['directory', 'queue', ...(areSeparate ? [] : NODE_NAMES)]);
  const nodes: Stack['nodes'] = [];
  for (const name of NODE_NAMES) {
    const server = areSeparate ? await start(name, [name]) : main;
    nodes.push({ name, url: server.url(name), server });
  }
  const lanes = areSeparate && o.queue === 'postgres' ? await start('queue', ['queue']) : main;
  return { directoryServer: main, nodes, directoryUrl: main.url('directory'), queueUrl: lanes.url('queue') };
}

/** As the directory is to know them. */
function addressesOf({ nodeUrl }: StackOptions, { nodes }: Databases): Promise<{ name: string; url: string }[]> {
  return Promise.all(nodes.map(async ({ name, url }) => ({ name, url: (await nodeUrl?.(name, url)) ?? url })));
}

async function startLanes(
  folder: string,
  o: StackOptions,
  lifecycle: Lifecycle,
): Promise<Partial<Pick<Stack, 'redis' | 'redisCluster'>>> {
  if (o.redisCluster) return { redisCluster: await startRedisCluster(folder, o.redisCluster, lifecycle) };
  return { redis: await startRedisServer(folder, redisPlan(o), lifecycle) };
}

function redisPlan({ redisArgs, redisDir, redisEnv }: StackOptions): RedisPlan {
  return {
    ...(redisArgs && { args: redisArgs }),
    ...(redisDir !== undefined && { dir: redisDir }),
    ...(redisEnv && { env: redisEnv }),
  };
}

/** @returns the key of the device that posts */
async function initialise(
  folder: string,
  nodes: { name: string; url: string }[],
  env: Record<string, string>,
): Promise<string> {
  const nodeFlags = nodes.flatMap(({ name, url }) => ['--node', `${name}=${url}`]);
  await runLiftline(['init', ...nodeFlags, '--shards', String(SHARDS), '--lanes', String(LANES)], env);
  const file = path.join(folder, 'resorts.json');
  await writeFile(file, JSON.stringify({ resorts: sampleResorts() }));
  await runLiftline(['resorts', 'import', file], env);
  return (await runLiftline(['devices', 'add', 'load generator'], env)).trim();
}

type Processes = Pick<Stack, 'edges' | 'rides' | 'ops' | 'workers'>;

async function startProcesses(
  o: StackOptions,
  folder: string,
  env: Record<string, string>,
  lifecycle: Lifecycle,
): Promise<Processes> {
  const start = (kind: 'edge' | 'rides' | 'ops' | 'worker', count: number): Promise<ManagedProcess[]> =>
    Promise.all(
      Array.from({ length: count }, (_, at) => {
        const name = `${kind}-${at}`;
        return liftlineProcess({ kind, name, folder, env: { ...env, ...o.envOf?.(name) }, owner: lifecycle });
      }),
    );
  const [edges, rides, ops, workers] = await Promise.all([
    start('edge', o.edges ?? 1),
    start('rides', o.rides ?? 1),
    start('ops', 1),
    start('worker', o.workers ?? 1),
  ]);
  return { edges, rides, ops: ops[0] as ManagedProcess, workers };
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
