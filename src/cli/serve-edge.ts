import { Command } from 'commander';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { createEdgeApp } from '../edge/app.ts';
import { DeviceQuota } from '../edge/device-quota.ts';
import { GroupCommit } from '../edge/group-commit.ts';
import { createGateMetrics } from '../edge/gate-metrics.ts';
import { createEdgeMetrics, type EdgeMetrics } from '../edge/metrics.ts';
import { type Admission, openAdmission } from '../queue/admission.ts';
import { openProducer } from '../queue/producer.ts';
import { assureQueue } from './assure-queue.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { type HttpParts, serveHttp } from './serve-http.ts';
import { skierTokensOf } from './skier-tokens.ts';

/** `liftline edge`: takes scans. */
export function edgeCommand(): Command {
  return new Command('edge')
    .description('run an edge: takes scans, answers once the queue has them')
    .action(() => runProcess({ name: 'edge', env: process.env, start: startEdge }));
}

async function startEdge(context: ProcessContext): Promise<void> {
  await serveHttp(context, {
    name: 'edge',
    leaveMs: context.config.leaveMs,
    build: async (directory, snapshot) => {
      await assureQueue(context.config, context);
      return openEdge(context, directory, snapshot);
    },
  });
}

/** Opens the way to the queue and makes the edge's app on it. */
export async function openEdge(
  context: ProcessContext,
  directory: DirectoryFollower,
  { laneCount }: DirectorySnapshot,
): Promise<HttpParts> {
  const { config, logger, lifecycle, metrics } = context;
  const producer = await openProducer({ ...config, laneCount, logger, lifecycle });
  const edgeMetrics = createEdgeMetrics(metrics.registry);
  const noteGates = createGateMetrics({ registry: metrics.registry, directory });
  const admission = await watchQueue(context, laneCount, edgeMetrics);
  const commit = new GroupCommit({
    async enqueue(lane, scans) {
      const confirmation = await producer.enqueue(lane, scans);
      noteGates(scans);
      return confirmation;
    },
    maxPendingScans: config.maxPendingScans,
    maxWaitMs: config.ackDeadlineMs,
    refusalOf: (lane) => admission.refusalOf(lane),
    metrics: edgeMetrics,
  });
  lifecycle.onStop('group commit', () => commit.flush());
  const { skiDataApi, adminKey, deviceScansPerS, deviceBurstScans } = config;
  const tokens = skierTokensOf(config, logger);
  const credentials = { ...(tokens && { tokens }), ...(adminKey && { adminKey }) };
  const app = createEdgeApp({
    directory,
    commit,
    quota:
      deviceScansPerS > 0 ? new DeviceQuota({ scansPerS: deviceScansPerS, burstScans: deviceBurstScans }) : undefined,
    config: { skiDataApi, ...credentials },
    metrics: edgeMetrics,
    logger,
  });
  return { apps: [app], ready: () => producer.isUp() || 'the queue does not answer' };
}

/** Whether the lanes can take more, as the edge's metrics tell it. */
async function watchQueue(
  { config, logger, lifecycle }: ProcessContext,
  laneCount: number,
  metrics: EdgeMetrics,
): Promise<Admission> {
  const { queueUrl, queuePrefix } = config;
  const limits = {
    backlogAgeS: config.admitBacklogAgeS,
    backlogScans: config.admitBacklogScans,
    memoryPercent: config.admitMemoryPercent,
  };
  const onChange = metrics.admissionChanged;
  const admission = await openAdmission({ queueUrl, queuePrefix, laneCount, limits, logger, lifecycle, onChange });
  metrics.watchAdmission(() => admission.states());
  return admission;
}
