import { Command } from 'commander';
import { startSupervisor, countRestarts } from '../../workers/supervisor.ts';
import { followDirectory } from '../directory/follower.ts';
import { assumedWorkerRate, type Config, ConfigError } from '../platform/config.ts';
import { probes } from '../platform/http-common.ts';
import { listen } from '../platform/http-server.ts';
import { openBacklog } from '../queue/backlog-reader.ts';
import { wholeNumber } from './arguments.ts';
import { assureQueue } from './assure-queue.ts';
import { mergedMetrics } from './merged-metrics.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { firstSnapshot } from './serve-http.ts';
import { WORKER_PROGRAM, WorkerChildren } from './worker-children.ts';

interface PoolFlags {
  min: number;
  max: number;
}

const MOST = 256;
/** A worker's part of `DRAIN_MS`: it has to be gone before the supervisor's own time is over. */
const WORKER_SHARE = 0.75;

/** `liftline workers`: as many workers on this host as the backlog needs. */
export function workersCommand(): Command {
  return new Command('workers')
    .description('run as many workers on this host as the backlog needs')
    .option('--min <n>', 'workers at least', wholeNumber(1, MOST), 1)
    .requiredOption('--max <n>', 'workers at most; the cores of this host, say', wholeNumber(1, MOST))
    .action((flags: PoolFlags) => {
      const forced: (() => void)[] = [];
      return runProcess({
        name: 'workers',
        env: process.env,
        force: () => forced.forEach((end) => end()),
        start: (context) => startPool(context, flags, forced),
      });
    });
}

async function startPool(context: ProcessContext, flags: PoolFlags, forced: (() => void)[]): Promise<void> {
  const { config, logger, lifecycle, metrics } = context;
  if (flags.min > flags.max) throw new ConfigError([`--min (${flags.min}) must not be more than --max (${flags.max})`]);
  let pool: WorkerChildren | undefined;
  await serveProbes(context, () => pool);
  await assureQueue(config, context);
  pool = new WorkerChildren({
    ...WORKER_PROGRAM,
    count: flags.min,
    env: workerEnv(config),
    stopMs: config.drainMs,
    silentMs: config.stuckMs,
    onRestart: countRestarts(metrics.registry),
    logger,
    lifecycle,
  });
  const started = pool;
  forced.push(() => started.kill());
  const { queueUrl, queuePrefix, directoryUrl, directoryPollMs, ackDeadlineMs } = config;
  const directory = await followDirectory({
    url: directoryUrl,
    pollMs: directoryPollMs,
    process: 'pool',
    logger,
    lifecycle,
  });
  const { laneCount } = await firstSnapshot(directory);
  const backlog = openBacklog({ queueUrl, queuePrefix, laneCount, timeoutMs: ackDeadlineMs, logger, lifecycle });
  startSupervisor({
    pool: started,
    backlog,
    limits: { ...flags, quietMs: config.poolQuietMs },
    targetS: config.backlogTargetMs / 1_000,
    assumedRatePerS: assumedWorkerRate(config),
    registry: metrics.registry,
    logger,
    lifecycle,
  });
  logger.info({ ...flags }, 'the pool is supervised');
}

/** Everything that was set for us; the port is ours. */
function workerEnv({ drainMs }: Config): Record<string, string | undefined> {
  const { PORT: _port, ...env } = process.env;
  return { ...env, DRAIN_MS: String(Math.max(100, Math.round(drainMs * WORKER_SHARE))) };
}

/** From the start on: whoever waits for the queue is live. */
async function serveProbes(context: ProcessContext, pool: () => WorkerChildren | undefined): Promise<void> {
  const { config, logger, lifecycle, metrics } = context;
  if (typeof config.probePort !== 'number') return;
  const app = probes({
    ready: () => pool()?.isReady() ?? 'waiting for the queue',
    metrics: () => mergedMetrics(metrics.registry, pool()?.metrics() ?? []),
  });
  await listen(app, { host: config.host, port: config.probePort, logger, lifecycle, name: 'workers' });
}
