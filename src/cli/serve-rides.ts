import { Command } from 'commander';
import type { DirectoryFollower } from '../directory/follower.ts';
import { createRidesApp } from '../rides/app.ts';
import { createHistoryReader } from '../shards/history-reader.ts';
import { watchPools } from '../shards/pool-metrics.ts';
import { openReadNodes } from '../shards/read-nodes.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { type HttpParts, serveHttp } from './serve-http.ts';

/** `liftline rides`: reads histories. */
export function ridesCommand(): Command {
  return new Command('rides')
    .description('run the read side: histories of skiers, days of resorts')
    .action(() => runProcess({ name: 'rides', env: process.env, start: startRides }));
}

async function startRides(context: ProcessContext): Promise<void> {
  await serveHttp(context, {
    name: 'rides',
    leaveMs: context.config.leaveMs,
    build: (directory) => openRides(context, directory),
  });
}

/** Opens the way to the nodes and makes the rides app on it. */
export async function openRides(
  { config, logger, lifecycle, metrics }: ProcessContext,
  directory: DirectoryFollower,
): Promise<HttpParts> {
  const nodes = openReadNodes({
    poolSize: config.nodePool,
    timeoutMs: config.nodeTimeoutMs,
    watch: watchPools(metrics.registry, 'rides'),
    logger,
    lifecycle,
  });
  const history = createHistoryReader({ directory, nodes });
  const { adminKey, tokenSecret, skiDataApi } = config;
  const app = createRidesApp({ directory, history, adminKey, tokenSecret, skiDataApi, metrics, logger });
  return { apps: [app], ready: () => true };
}
