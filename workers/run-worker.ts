import { type DirectoryFollower, followDirectory } from '../src/directory/follower.ts';
import type { DirectorySnapshot } from '../src/directory/snapshot.ts';
import { type Config, ConfigError } from '../src/platform/config.ts';
import { probes } from '../src/platform/http-common.ts';
import { listen } from '../src/platform/http-server.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import type { Metrics } from '../src/platform/metrics.ts';
import { openBacklog } from '../src/queue/backlog-reader.ts';
import { openCompleteUntil } from '../src/queue/complete-until.ts';
import { type LaneConsumer, type LaneJob, openConsumer } from '../src/queue/consumer.ts';
import { type LaneProducer, openProducer } from '../src/queue/producer.ts';
import { startSweeper } from '../src/queue/sweeper.ts';
import { type PoolWatch, watchPools } from '../src/shards/pool-metrics.ts';
import { openReadNodes } from '../src/shards/read-nodes.ts';
import { openWriteNodes } from '../src/shards/write-nodes.ts';
import { AsOfAge } from './as-of-age.ts';
import { startAsOfKeeper } from './as-of-keeper.ts';
import { Brake } from './brake.ts';
import { LaneProgress, noteTries, watchProgress } from './lane-progress.ts';
import { LaneWorker } from './lane-worker.ts';
import { startLedgerUpkeep } from './ledger-upkeep.ts';
import { createWorkerMetrics, type WorkerMetrics } from './metrics.ts';
import { followQueueClock } from './queue-clock.ts';

export interface WorkerContext {
  logger: Logger;
  lifecycle: Lifecycle;
  metrics: Metrics;
}

export interface RunningWorker {
  /** true, or what is missing now */
  ready(): true | string;
  /** true, or in what way it is stuck: another process should take its place */
  live(): true | string;
}

/** While one write waits for its fsync the next one runs: 1.3 to 1.6 times the scans/s of one at a time, for the same CPU a scan. */
const WRITES_IN_FLIGHT = 2;
/** What a node may take for what the keeper of asOf has to tell it. */
const KEEPER_TIMEOUT_MS = 1_500;

/**
 * A worker process: takes the jobs of its lanes and stores them, until the lifecycle stops it. Resolves when it has begun;
 * while the directory is away at its start, it waits.
 *
 * @param prepare what has to be done before anything is opened; the probes are there while it waits
 * @throws ConfigError for a lane that does not exist
 */
export async function runWorker(
  config: Config,
  { logger, lifecycle, metrics }: WorkerContext,
  prepare: () => Promise<void> = () => Promise.resolve(),
): Promise<RunningWorker> {
  let progress: LaneProgress | undefined;
  const live = () => progress?.live() ?? true;
  await serveProbes(
    config,
    { logger, lifecycle, metrics },
    { ready: () => progress !== undefined || 'starting', live },
  );
  await prepare();
  const directory = await followDirectory({
    url: config.directoryUrl,
    logger,
    pollMs: config.directoryPollMs,
    process: 'worker',
    lifecycle,
  });
  const { laneCount } = await firstSnapshot(directory);
  const lanes = lanesOf(config.workerLanes, laneCount);
  const queue = { queueUrl: config.queueUrl, queuePrefix: config.queuePrefix, logger, lifecycle };
  const producer = await openProducer({
    ...queue,
    laneCount,
    ackDeadlineMs: config.ackDeadlineMs,
    queueReplicas: config.queueReplicas,
  });
  const note = (lane: number) => progress?.note(lane);
  const workerMetrics = noteTries(createWorkerMetrics(metrics.registry), note);
  const watch = watchPools(metrics.registry, 'worker');
  const surroundings = { queue, lanes, directory, producer, watch, metrics: workerMetrics, registry: metrics.registry };
  const workerOf = openWorkers(config, surroundings);
  startSweeper({ ...queue, lanes, everyMs: config.stallCheckMs });
  const brake = new Brake({ scansPerS: config.workerScansPerS, onMove: note });
  const consumers = startLanes(config, queue, lanes, (lane) => {
    const worker = workerOf(lane);
    return async (job) => {
      await brake.pass(lane, scansIn(job.data), job.signal);
      await worker.handle(job);
    };
  });
  const backlog = openBacklog({ ...queue, laneCount, timeoutMs: config.ackDeadlineMs });
  progress = new LaneProgress({ consumers, backlog, stuckMs: config.stuckMs });
  watchProgress(progress, lifecycle);
  logger.info({ lanes }, 'worker is ready');
  return { ready: () => producer.isUp() || 'waiting for the queue', live };
}

type Queue = Pick<WorkerContext, 'logger' | 'lifecycle'> & Pick<Config, 'queueUrl' | 'queuePrefix'>;

interface Surroundings {
  queue: Queue;
  lanes: number[];
  directory: DirectoryFollower;
  producer: LaneProducer;
  watch: PoolWatch;
  metrics: WorkerMetrics;
  registry: Metrics['registry'];
}

/** Opens the nodes for writing. @returns what makes the worker of a lane */
function openWorkers(
  config: Config,
  { queue, lanes, directory, producer, watch, metrics, registry }: Surroundings,
): (lane: number) => LaneWorker {
  const { logger, lifecycle } = queue;
  const { nodePool: poolSize, statementTimeoutMs, ledgerDays } = config;
  const nodes = openWriteNodes({ poolSize, statementTimeoutMs, watch, logger, lifecycle });
  startLedgerUpkeep({ directory, nodes, ledgerDays, logger, lifecycle });
  const followClock = followQueueClock(queue);
  const clocks = new Map(lanes.map((lane) => [lane, followClock(lane)]));
  const queueNowMs = (lane: number) => clocks.get(lane)?.();
  startKeeper(config, { queue, lanes, directory, age: new AsOfAge(registry, queueNowMs) });
  const shared = {
    directory,
    nodes,
    requeue: producer.enqueue.bind(producer),
    maxRowsPerWrite: config.maxRowsPerWrite,
    writesInFlight: WRITES_IN_FLIGHT,
    paceMs: config.writePaceMs,
    jobsAtOnce: config.workerConcurrency,
    metrics,
    logger,
  };
  return (lane) => new LaneWorker({ ...shared, lane, queueNowMs: () => queueNowMs(lane) });
}

function startKeeper(
  config: Config,
  { queue, lanes, directory, age }: Pick<Surroundings, 'queue' | 'lanes' | 'directory'> & { age: AsOfAge },
): void {
  const { ackDeadlineMs, queueReplicas } = config;
  const completeUntil = openCompleteUntil({ ...queue, timeoutMs: ackDeadlineMs, queueReplicas });
  const nodes = openReadNodes({ ...queue, poolSize: 1, timeoutMs: KEEPER_TIMEOUT_MS });
  startAsOfKeeper({ ...queue, directory, nodes, lanes, completeUntil, age });
}

/** What a job says of itself; one that can't be read passes as one scan. */
function scansIn(data: unknown): number {
  return typeof data === 'object' && data !== null && 'n' in data && typeof data.n === 'number' ? data.n : 1;
}

/** All of them drain together, before anything that they stand on closes. */
function startLanes(
  config: Config,
  queue: Queue,
  lanes: number[],
  handlerOf: (lane: number) => (job: LaneJob) => Promise<void>,
): Map<number, LaneConsumer> {
  const { workerConcurrency: concurrency, lockMs, stallCheckMs } = config;
  const consumers = new Map(
    lanes.map((lane) => [
      lane,
      openConsumer({ ...queue, lane, concurrency, lockMs, stallCheckMs, handle: handlerOf(lane) }),
    ]),
  );
  queue.lifecycle.onStop('lanes', async () => {
    await Promise.all([...consumers.values()].map((consumer) => consumer.drain(config.drainMs)));
  });
  for (const consumer of consumers.values()) consumer.start();
  return consumers;
}

interface Probes {
  ready: () => true | string;
  live: () => true | string;
}

async function serveProbes(config: Config, context: WorkerContext, { ready, live }: Probes): Promise<void> {
  if (typeof config.probePort !== 'number') return;
  const app = probes({ ready, live, metrics: () => context.metrics.registry.metrics() });
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
