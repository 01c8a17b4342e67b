import { Command } from 'commander';
import { initDirectory } from '../directory/init.ts';
import { signSkierToken } from '../directory/skier-token.ts';
import { type Config, ConfigError } from '../platform/config.ts';
import { checkPortIsFree } from '../platform/http-server.ts';
import { assureQueue } from './assure-queue.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import {
  type Home,
  openHome,
  openSecrets,
  removeRuntime,
  type Runtime,
  type Secrets,
  saveCredentials,
  saveRuntime,
} from './home.ts';
import { mergedMetrics } from './merged-metrics.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { openEdge } from './serve-edge.ts';
import { serveHttp } from './serve-http.ts';
import { openOps } from './serve-ops.ts';
import { openRides } from './serve-rides.ts';
import { banner } from './up-banner.ts';
import { prepareSamples } from './up-samples.ts';
import { WORKER_PROGRAM, WorkerChildren } from './worker-children.ts';

const SHARDS = 64;
const LANES = 4;
const NODES = ['node-a', 'node-b'];
const DATABASES = {
  directory: 'liftline_directory',
  nodes: ['liftline_node_a', 'liftline_node_b'],
  queue: 'liftline_queue',
};
/** Everything is down within 10 s: 3 s for running requests, 5 s for the workers, the rest for Postgres. */
const STOP_MS = 9_500;
const WORKER_DRAIN_MS = 4_000;
const WORKER_STOP_MS = 5_000;
/** How long the welcome waits for the workers; they are started again and again in any case. */
const WORKERS_READY_MS = 20_000;
const SAMPLE_SKIER = 1;
const DAY_S = 86_400;

/** `liftline up`: everything on this machine, with nothing else installed. */
export function upCommand(): Command {
  return new Command('up')
    .description('run everything on this machine: database, queue, edge, rides, ops and workers')
    .option('--no-samples', 'start without the sample resorts')
    .action((flags: { samples: boolean }) => {
      const forced: (() => void)[] = [];
      return runProcess({
        name: 'up',
        env: {
          ...process.env,
          SKI_DATA_API: process.env.SKI_DATA_API || 'open',
          DEVICE_SCANS_PER_S: process.env.DEVICE_SCANS_PER_S || '0',
          LOG_LEVEL: process.env.LOG_LEVEL || 'warn',
        },
        stopMs: STOP_MS,
        force: () => forced.forEach((end) => end()),
        start: (context) => startAll(context, { withSamples: flags.samples, forced }),
      });
    });
}

interface UpOptions {
  withSamples: boolean;
  /** what to call when stopping is cut short */
  forced: (() => void)[];
}

async function startAll(context: ProcessContext, o: UpOptions): Promise<void> {
  const { logger, lifecycle } = context;
  refuseOwnDirectory();
  await checkPortIsFree(context.config.host, context.config.port);
  const home = await openHome(context.config.home);
  lifecycle.onStop('home', () => home.release());
  const secrets = await openSecrets(home);
  process.stdout.write(`Liftline starts in ${home.path}\n`);

  const postgres = await startPostgres(context, home, o);
  const config = completeConfig(context.config, postgres, secrets);
  const full = { ...context, config };
  const samples = await prepareDatabases(config, postgres, { home, secrets, withResorts: o.withSamples });
  await assureQueue(config, { logger, lifecycle });
  await saveRuntime(home, runtimeOf(config));
  lifecycle.onStop('runtime file', () => removeRuntime(home));

  const workers = startWorkers(full, o);
  const { url } = await serveAll(full, workers);
  const credentials = { baseUrl: url, deviceKey: samples.deviceKey, adminKey: config.adminKey };
  await saveCredentials(home, credentials);
  await workers.untilReady(WORKERS_READY_MS);
  const welcome = banner({
    credentials,
    credentialsFile: home.file('credentials.json'),
    token: await signSkierToken(config.tokenSecret, SAMPLE_SKIER, DAY_S),
    skierId: SAMPLE_SKIER,
    now: new Date(),
    hasResorts: samples.hasResorts,
  });
  if (!lifecycle.isStopping) process.stdout.write(welcome);
}

function refuseOwnDirectory(): void {
  if (!process.env.DIRECTORY_URL) return;
  throw new ConfigError([
    'DIRECTORY_URL is set, and up brings its own directory: unset it, or run edge, rides, ops and worker one by one',
  ]);
}

/** Its closer is there before the server is: a signal may come while it starts. */
async function startPostgres({ config, logger, lifecycle }: ProcessContext, home: Home, o: UpOptions) {
  const queue = config.queueUrl ? [] : [DATABASES.queue];
  const databases = [DATABASES.directory, ...DATABASES.nodes, ...queue];
  const starting = startEmbeddedPostgres({ dataDir: home.file('postgres'), databases, logger });
  lifecycle.onStop('embedded Postgres', async () => {
    const started = await starting.catch(() => undefined); // `startAll` reports it
    await started?.stop();
  });
  const postgres = await starting;
  o.forced.push(() => process.kill(postgres.pid, 'SIGQUIT'));
  return postgres;
}

/** What `up` makes itself unless it is given. */
function completeConfig(config: Config, postgres: EmbeddedPostgres, secrets: Secrets): Config {
  return {
    ...config,
    directoryUrl: postgres.url(DATABASES.directory),
    queueUrl: config.queueUrl || postgres.url(DATABASES.queue),
    tokenSecret: config.tokenSecret || secrets.tokenSecret,
    adminKey: config.adminKey || secrets.adminKey,
  };
}

/** What operators' commands have to use as this process does. */
function runtimeOf(config: Config): Runtime {
  const { directoryUrl, queueUrl, queuePrefix, queueReplicas, queueDurability, tokenSecret } = config;
  const self = identify(process.pid) as ProcessIdentity;
  return { process: self, directoryUrl, queueUrl, queuePrefix, queueReplicas, queueDurability, tokenSecret };
}

/** The port of the embedded server differs from start to start: the directory learns the nodes' URLs again each time. */
async function prepareDatabases(
  { directoryUrl }: Config,
  postgres: EmbeddedPostgres,
  o: { home: Home; secrets: Secrets; withResorts: boolean },
) {
  const nodes = NODES.map((name, i) => ({ name, url: postgres.url(DATABASES.nodes[i] as string) }));
  await prepareNodes(await initDirectory({ directoryUrl, nodes, shardCount: SHARDS, laneCount: LANES }));
  return prepareSamples({ directoryUrl, ...o });
}

function startWorkers({ config, logger, lifecycle }: ProcessContext, o: UpOptions): WorkerChildren {
  const { PORT: _port, LANES: _lanes, ...env } = process.env;
  const workers = new WorkerChildren({
    ...WORKER_PROGRAM,
    count: config.workers,
    env: {
      ...env,
      DIRECTORY_URL: config.directoryUrl,
      QUEUE_URL: config.queueUrl,
      DRAIN_MS: String(Math.min(config.drainMs, WORKER_DRAIN_MS)),
      LOG_LEVEL: config.logLevel,
    },
    logger,
    lifecycle,
    stopMs: WORKER_STOP_MS,
    silentMs: config.stuckMs,
  });
  o.forced.push(() => workers.kill());
  return workers;
}

function serveAll(context: ProcessContext, workers: WorkerChildren): Promise<{ url: string }> {
  return serveHttp(context, {
    name: 'up',
    metricsText: () => mergedMetrics(context.metrics.registry, workers.metrics()),
    build: async (directory, snapshot) => {
      const rides = await openRides(context, directory);
      const ops = await openOps(context, directory, snapshot);
      const edge = await openEdge(context, directory, snapshot);
      const { atOnce, endStreams } = rides;
      const missing = () => [edge, rides, ops].map((part) => part.ready()).find((ready) => ready !== true);
      return {
        apps: [...edge.apps, ...rides.apps, ...ops.apps],
        ready: () => missing() ?? workers.isReady(),
        atOnce,
        endStreams,
      };
    },
  });
}
