import { type DirectoryFollower, followDirectory } from '../src/directory/follower.ts';
import type { DirectorySnapshot } from '../src/directory/snapshot.ts';
import { type Config, ConfigError } from '../src/platform/config.ts';
import { probes } from '../src/platform/http-common.ts';
import { listen } from '../src/platform/http-server.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import type { Metrics } from '../src/platform/metrics.ts';
import { openConsumer } from '../src/queue/consumer.ts';
import { openProducer } from '../src/queue/producer.ts';
import { startSweeper } from '../src/queue/sweeper.ts';
import { openWriteNodes } from '../src/shards/write-nodes.ts';
import { LaneWorker } from './lane-worker.ts';
import { startLedgerUpkeep } from './ledger-upkeep.ts';
import { createWorkerMetrics } from './metrics.ts';
import { followQueueClock } from './queue-clock.ts';

export interface WorkerContext {
  logger: Logger;
  lifecycle: Lifecycle;
  metrics: Metrics;
}

export interface RunningWorker {
  /** true, or what is missing now */
  ready(): true | string;
}

/** While one write waits for its fsync the next one runs: 1.3 to 1.6 times the scans/s of one at a time, for the same CPU a scan. */
const WRITES_IN_FLIGHT = 2;

/**
 * A worker process: takes the jobs of its lanes and stores them, until the lifecycle stops it. Resolves when it has begun;
 * while the directory is away at its start, it waits.
 *
 * @throws ConfigError for a lane that does not exist
 */
export async function runWorker(config: Config, { logger, lifecycle, metrics }: WorkerContext): Promise<RunningWorker> {
  let isStarted = false;
  await serveProbes(config, { logger, lifecycle, metrics }, () => isStarted || 'starting');
  const directory = await followDirectory({
    url: config.directoryUrl,
    logger,
    pollMs: config.directoryPollMs,
    lifecycle,
  });
  const { laneCount } = await firstSnapshot(directory);
  const lanes = lanesOf(config.workerLanes, laneCount);
  const queue = { queueUrl: config.queueUrl, queuePrefix: config.queuePrefix, logger, lifecycle };
  const nodes = openWriteNodes({
    poolSize: config.nodePool,
    statementTimeoutMs: config.statementTimeoutMs,
    logger,
    lifecycle,
  });
  const producer = await openProducer({
    ...queue,
    laneCount,
    ackDeadlineMs: config.ackDeadlineMs,
    queueReplicas: config.queueReplicas,
  });
  startLedgerUpkeep({ directory, nodes, ledgerDays: config.ledgerDays, logger, lifecycle });
  startSweeper({ ...queue, lanes, everyMs: config.stallCheckMs });
  const followClock = followQueueClock(queue);
  const shared = {
    directory,
    nodes,
    requeue: producer.enqueue.bind(producer),
    maxRowsPerWrite: config.maxRowsPerWrite,
    writesInFlight: WRITES_IN_FLIGHT,
    paceMs: config.writePaceMs,
    handful: config.workerConcurrency,
    metrics: createWorkerMetrics(metrics.registry),
    logger,
  };
  startLanes(config, queue, (lane) => new LaneWorker({ ...shared, lane, queueNowMs: followClock(lane) }), lanes);
  logger.info({ lanes }, 'worker is ready');
  isStarted = true;
  return { ready: () => producer.isUp() || 'waiting for the queue' };
}

type Queue = Pick<WorkerContext, 'logger' | 'lifecycle'> & Pick<Config, 'queueUrl' | 'queuePrefix'>;

/** All of them drain together, before anything that they stand on closes. */
function startLanes(config: Config, queue: Queue, workerOf: (lane: number) => LaneWorker, lanes: number[]): void {
  const consumers = lanes.map((lane) => {
    const worker = workerOf(lane);
    return openConsumer({
      ...queue,
      lane,
      concurrency: config.workerConcurrency,
      lockMs: config.lockMs,
      stallCheckMs: config.stallCheckMs,
      handle: (job) => worker.handle(job),
    });
  });
  queue.lifecycle.onStop('lanes', async () => {
    await Promise.all(consumers.map((consumer) => consumer.drain(config.drainMs)));
  });
  for (const consumer of consumers) consumer.start();
}

async function serveProbes(config: Config, context: WorkerContext, ready: () => true | string): Promise<void> {
  if (typeof config.probePort !== 'number') return;
  const app = probes({ ready, metrics: () => context.metrics.registry.metrics() });
  await listen(app, { host: config.host, port: config.probePort, ...context, name: 'worker' });
}

function firstSnapshot(directory: DirectoryFollower): Promise<DirectorySnapshot> {
  if (directory.hasSnapshot()) return Promise.resolve(directory.snapshot());
  return new Promise((resolve) => directory.onChange(resolve));
}

function lanesOf(chosen: readonly number[], laneCount: number): number[] {
  const unknown = chosen.filter((lane) => lane >= laneCount);
  if (unknown.length > 0)
    throw new ConfigError([`LANES: there is no lane ${unknown.join(', ')}, only 0 to ${laneCount - 1}`]);
  return chosen.length > 0 ? [...new Set(chosen)] : Array.from({ length: laneCount }, (_, lane) => lane);
}
