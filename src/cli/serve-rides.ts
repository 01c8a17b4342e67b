import { Command } from 'commander';
import type { DirectoryFollower } from '../directory/follower.ts';
import { Waiting } from '../rides/after.ts';
import { createRidesApp } from '../rides/app.ts';
import { answerAtOnce } from '../rides/at-once.ts';
import { AnswerCache } from '../rides/cache/answer-cache.ts';
import { createCacheMetrics } from '../rides/cache/metrics.ts';
import { SharedTier } from '../rides/cache/shared-tier.ts';
import { Live } from '../rides/live/live.ts';
import { createLiveMetrics } from '../rides/live/metrics.ts';
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
  // by themselves: what changes must not wait behind reads; one connection for polls, one for what was stored
  const watchers = openReadNodes({ poolSize: 2, timeoutMs: config.nodeTimeoutMs, logger, lifecycle });
  const changes = new ChangeFeed({ directory, nodes: watchers, logger, lifecycle });
  const { adminKey, skiDataApi, corsOrigins } = config;
  const cache = openCache({ config, logger, lifecycle, metrics }, directory);
  const tokens = requireSkierTokens(config, logger);
  const live = new Live({
    directory,
    changes,
    history,
    nodes: watchers,
    maxListeners: config.liveListeners,
    metrics: createLiveMetrics(metrics.registry),
    logger,
    lifecycle,
  });
  const waiting = new Waiting({ history, changes, registry: metrics.registry });
  const app = createRidesApp({
    directory,
    history,
    changes,
    cache,
    waiting,
    live,
    adminKey,
    tokens,
    skiDataApi,
    corsOrigins,
    metrics,
    logger,
  });
  const atOnce = answerAtOnce({ cache, tokens, corsOrigins, metrics, logger });
  const endStreams = () => {
    waiting.endAll();
    live.endAll();
  };
  return { apps: [app], ready: () => true, atOnce, endStreams };
}

function openCache({ config, logger, lifecycle, metrics }: ProcessContext, directory: DirectoryFollower): AnswerCache {
  const { cacheUrl: url, cacheMb } = config;
  const { installation } = directory.snapshot();
  return new AnswerCache({
    maxBytes: cacheMb * 1_000_000,
    shared: url ? new SharedTier({ url, installation, logger, lifecycle }) : undefined,
    directoryVersion: () => directory.snapshot().version,
    metrics: createCacheMetrics(metrics.registry),
  });
}
