import { Command } from 'commander';
import { openDirectory } from '../directory/database.ts';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { countProcesses } from '../directory/count-processes.ts';
import { createOpsApp } from '../ops/app.ts';
import { createAutoscale } from '../ops/autoscale.ts';
import { registerPipelineMetrics } from '../ops/metrics.ts';
import { registerResortMetrics } from '../ops/resort-metrics.ts';
import { opsPages } from '../ops/pages/app.ts';
import { PipelineWatch } from '../ops/pages/pipeline-view.ts';
import { createPipeline } from '../ops/pipeline.ts';
import { queuePages } from '../ops/queue-pages.ts';
import { assumedWorkerRate } from '../platform/config.ts';
import { openBacklog } from '../queue/backlog-reader.ts';
import { openProducer } from '../queue/producer.ts';
import { readLanesAsOf } from '../shards/as-of.ts';
import { createDeadLetters } from '../shards/dead-letters.ts';
import { watchPools } from '../shards/pool-metrics.ts';
import { openReadNodes, type ReadNodes } from '../shards/read-nodes.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { type HttpParts, serveHttp } from './serve-http.ts';

/** `liftline ops`: the control plane's face. */
export function opsCommand(): Command {
  return new Command('ops')
    .description('run the control plane: devices, seasons, dead letters, the state of the pipeline')
    .action(() => runProcess({ name: 'ops', env: process.env, start: startOps }));
}

async function startOps(context: ProcessContext): Promise<void> {
  await serveHttp(context, {
    name: 'ops',
    leaveMs: context.config.leaveMs,
    build: (directory, snapshot) => openOps(context, directory, snapshot),
  });
}

/** Opens the directory for changes, the nodes and the queue, and makes the ops app on them. */
export async function openOps(
  { config, logger, lifecycle, metrics }: ProcessContext,
  follower: DirectoryFollower,
  { laneCount }: DirectorySnapshot,
): Promise<HttpParts> {
  const directory = openDirectory({ url: config.directoryUrl, lifecycle });
  const nodes = openReadNodes({
    poolSize: config.nodePool,
    timeoutMs: config.nodeTimeoutMs,
    watch: watchPools(metrics.registry, 'ops'),
    logger,
    lifecycle,
  });
  const queue = { queueUrl: config.queueUrl, queuePrefix: config.queuePrefix, laneCount, logger, lifecycle };
  const backlog = openBacklog({ ...queue, timeoutMs: config.ackDeadlineMs });
  const producer = await openProducer({
    ...queue,
    ackDeadlineMs: config.ackDeadlineMs,
    queueReplicas: config.queueReplicas,
  });
  const deadLetters = createDeadLetters({ directory: follower, nodes, enqueue: (...job) => producer.enqueue(...job) });
  const pipeline = createPipeline({ follower, backlog, nodes });
  registerPipelineMetrics({ registry: metrics.registry, pipeline });
  registerResortMetrics({ registry: metrics.registry, follower });
  const autoscale = createAutoscale({
    follower,
    backlog,
    nodes,
    ratePerS: assumedWorkerRate(config),
    targetS: config.backlogTargetMs / 1_000,
  });
  const watch = new PipelineWatch({
    pipeline,
    follower,
    lanesAsOf: (nodeId) => askNode(follower, nodes, nodeId),
    countProcesses: () => countProcesses(directory),
  });
  const { adminKey, skiDataApi, pathPrefix } = config;
  const pages = opsPages({ adminKey, watch, deadLetters });
  const app = createOpsApp({ directory, follower, deadLetters, pipeline, autoscale, adminKey, skiDataApi, logger });
  // those with a sign-in of their own before the app that asks for a bearer under /ops
  return { apps: [queuePages({ ...queue, adminKey, pathPrefix }), pages, app], ready: () => true };
}

function askNode(follower: DirectoryFollower, nodes: ReadNodes, nodeId: number): Promise<Map<number, number | null>> {
  const address = follower.snapshot().nodes.get(nodeId);
  if (!address) return Promise.resolve(new Map());
  return nodes.of(address).run(({ pool }) => readLanesAsOf(pool));
}
