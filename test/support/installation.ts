import { prepareNodes } from '../../src/cli/prepare-nodes.ts';
import { initDirectory } from '../../src/directory/init.ts';
import type { DirectorySnapshot } from '../../src/directory/snapshot.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { prepareQueue } from '../../src/queue/prepare.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { runWorker } from '../../workers/run-worker.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { LANES, SHARDS } from './nodes.ts';
import { freshDatabase } from './postgres.ts';
import { recordedLog } from './recorded-log.ts';
import { until } from './until.ts';

/** A directory, a queue and two nodes with nothing running on them, and what commands need to find them. */
export interface Installation {
  /** for `liftline` commands */
  env: Record<string, string>;
  snapshot: DirectorySnapshot;
  /** the second node is behind it */
  proxy: FaultProxy;
  /** of the nodes, past the proxy */
  nodeUrls: string[];
  queue: { queueUrl: string; queuePrefix: string; laneCount: number };
  producer: LaneProducer;
  /** enqueues them, a job for each lane */
  send(scans: Scan[]): Promise<void>;
  /** runs a worker until the lanes hold nothing */
  work(): Promise<void>;
  lifecycle: Lifecycle;
  stop(): Promise<void>;
}

/** @param queueUrl a queue server; a Postgres database of its own unless given */
export async function startInstallation(queueUrl?: string): Promise<Installation> {
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const databases = [await freshDatabase(), await freshDatabase(), await freshDatabase(), await freshDatabase()];
  const [directoryUrl = '', ownQueueUrl = '', ...nodeUrls] = databases.map(({ url }) => url);
  const proxy = await startFaultProxy(nodeUrls[1] ?? '');
  const nodes = [nodeUrls[0] ?? '', proxy.url].map((url, i) => ({ name: `node-${i + 1}`, url }));
  const snapshot = await initDirectory({ directoryUrl, nodes, shardCount: SHARDS, laneCount: LANES });
  await prepareNodes(snapshot);
  const queue = { queueUrl: queueUrl ?? ownQueueUrl, queuePrefix: 'liftline', laneCount: LANES };
  await prepareQueue(queue);
  const producer = await openProducer({ ...queue, ackDeadlineMs: 5_000, logger, lifecycle });
  const backlog = openBacklog({ ...queue, timeoutMs: 5_000, logger, lifecycle });
  const env = { DIRECTORY_URL: directoryUrl, QUEUE_URL: queue.queueUrl };
  return {
    env,
    snapshot,
    proxy,
    nodeUrls,
    queue,
    producer,
    async send(scans) {
      for (const [lane, ofLane] of Map.groupBy(scans, laneOfScan)) await producer.enqueue(lane, ofLane);
    },
    async work() {
      const own = new Lifecycle({ logger });
      await runWorker(loadConfig(env, 'worker'), { logger, lifecycle: own, metrics: createMetrics('worker') });
      await until(
        'the lanes are empty',
        async () => (await backlog.read()).every((lane) => lane.waitingJobs + lane.activeJobs + lane.failedJobs === 0),
        30_000,
      );
      await own.stop(10_000);
    },
    lifecycle,
    async stop() {
      await lifecycle.stop(10_000);
      await proxy.close();
      for (const database of databases) await database.drop();
    },
  };
}

function laneOfScan({ skierId }: Scan): number {
  return laneOf(shardOf(skierId, SHARDS), LANES);
}
