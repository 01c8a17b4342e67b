import { Command } from 'commander';
import type { DirectoryFollower } from '../directory/follower.ts';
import { createRidesApp } from '../rides/app.ts';
import { AnswerCache } from '../rides/cache/answer-cache.ts';
import { createCacheMetrics } from '../rides/cache/metrics.ts';
import { SharedTier } from '../rides/cache/shared-tier.ts';
import { ChangeFeed } from '../shards/change-feed.ts';
import { createHistoryReader } from '../shards/history-reader.ts';
import { watchPools } from '../shards/pool-metrics.ts';
import { openReadNodes } from '../shards/read-nodes.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { type HttpParts, serveHttp } from './serve-http.ts';
import { requireSkierTokens } from './skier-tokens.ts';

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
  const changes = openChanges({ config, logger, lifecycle }, directory);
  const { adminKey, skiDataApi, corsOrigins } = config;
  const cache = openCache({ config, logger, lifecycle, metrics }, directory);
  const tokens = requireSkierTokens(config, logger);
  const app = createRidesApp({
    directory,
    history,
    changes,
    cache,
    adminKey,
    tokens,
    skiDataApi,
    corsOrigins,
    metrics,
    logger,
  });
  return { apps: [app], ready: () => true };
}

function openCache({ config, logger, lifecycle, metrics }: ProcessContext, directory: DirectoryFollower): AnswerCache {
  const { cacheUrl: url, cacheMb } = config;
  return new AnswerCache({
    maxBytes: cacheMb * 1_000_000,
    shared: url ? new SharedTier({ url, logger, lifecycle }) : undefined,
    directoryVersion: () => directory.snapshot().version,
    metrics: createCacheMetrics(metrics.registry),
  });
}

/** Polls on connections of its own: what it has to tell must not wait behind reads. */
function openChanges(
  { config, logger, lifecycle }: Pick<ProcessContext, 'config' | 'logger' | 'lifecycle'>,
  directory: DirectoryFollower,
): ChangeFeed {
  const nodes = openReadNodes({ poolSize: 1, timeoutMs: config.nodeTimeoutMs, logger, lifecycle });
  return new ChangeFeed({ directory, nodes, logger, lifecycle });
}
