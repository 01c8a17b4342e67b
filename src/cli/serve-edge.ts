import { Command } from 'commander';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { createEdgeApp } from '../edge/app.ts';
import { GroupCommit } from '../edge/group-commit.ts';
import { createEdgeMetrics } from '../edge/metrics.ts';
import { openProducer } from '../queue/producer.ts';
import { assureQueue } from './assure-queue.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { type HttpParts, serveHttp } from './serve-http.ts';

/** `liftline edge`: takes scans. */
export function edgeCommand(): Command {
  return new Command('edge')
    .description('run an edge: takes scans, answers once the queue has them')
    .action(() => runProcess({ name: 'edge', env: process.env, start: startEdge }));
}

async function startEdge(context: ProcessContext): Promise<void> {
  await serveHttp(context, {
    name: 'edge',
    build: async (directory, snapshot) => {
      await assureQueue(context.config, context);
      return openEdge(context, directory, snapshot);
    },
  });
}

/** Opens the way to the queue and makes the edge's app on it. */
export async function openEdge(
  { config, logger, lifecycle, metrics }: ProcessContext,
  directory: DirectoryFollower,
  { laneCount }: DirectorySnapshot,
): Promise<HttpParts> {
  const producer = await openProducer({ ...config, laneCount, logger, lifecycle });
  const edgeMetrics = createEdgeMetrics(metrics.registry);
  const commit = new GroupCommit({
    enqueue: (lane, scans) => producer.enqueue(lane, scans),
    maxPendingScans: config.maxPendingScans,
    maxWaitMs: config.ackDeadlineMs,
    metrics: edgeMetrics,
  });
  lifecycle.onStop('group commit', () => commit.flush());
  const { skiDataApi, tokenSecret, adminKey } = config;
  const credentials = { ...(tokenSecret && { tokenSecret }), ...(adminKey && { adminKey }) };
  const app = createEdgeApp({
    directory,
    commit,
    config: { skiDataApi, ...credentials },
    metrics: edgeMetrics,
    logger,
  });
  return { apps: [app], ready: () => producer.isUp() || 'the queue does not answer' };
}
