import {
  type BackendFactory,
  createRedisBackend,
  type IQueueBackend,
  PostgresQueueBackend,
  type PgPool,
  Queue,
} from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '../platform/logger.ts';
import { lanePrefix, laneQueueName, type QueueAddress, queueKind } from './lanes.ts';
import { withPatience } from './patience.ts';
import { LaneConnection, WorkerPostgresBackend } from './postgres.ts';
import { parseClusterUrl } from '../platform/queue-url.ts';
import { connectFailingFast, connectWaiting, ready } from './redis.ts';
import { withReplicas } from './replicas.ts';

/** The connections are the factory's; BullMQ's own `connection` option only says on what it runs. */
type LaneBackendFactory = BackendFactory<IQueueBackend, string>;

export type LaneQueue = Queue<unknown, void, string, unknown, void, string, IQueueBackend, string>;

interface Link {
  /** BullMQ's queue of a lane, made when first asked for, on this link's connection */
  queue(lane: number): LaneQueue;
  /** false when each lane has a connection of its own: then a lane can be away while others are not */
  isShared: boolean;
  /** waits for the attempt to connect that is under way, lane 0's unless given; @throws its error */
  ready(lane?: number): Promise<void>;
  /** the clock of the server that has the lane, lane 0's unless given; milliseconds since the epoch */
  serverTimeMs(lane?: number): Promise<number>;
  /**
   * Runs a write of a lane. Resolves when as many replicas have it as this link was told to wait for.
   *
   * @throws what the write throws, or Error when too few replicas confirm within the deadline
   */
  write<T>(lane: number, deadlineMs: number, write: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface RedisLink extends Link {
  kind: 'redis';
  /** the connection to the server that has the lane */
  redis(lane: number): Redis;
}

export interface PostgresLink extends Link {
  kind: 'postgres';
  pool: PgPool;
}

/** How a process that must not wait talks to the queue: everything fails at once while the server is away. */
export type QueueLink = RedisLink | PostgresLink;

/**
 * Opens a link; returns at once, whether the server is there or not.
 *
 * @param o.timeoutMs for connecting, and for the server's silence
 * @param o.connections on Postgres: the size of the pool. On Redis one connection carries everything; in a cluster, and with
 *   replicas to wait for, each lane has its own
 * @param o.replicas how many replicas of Redis must confirm a write; none unless given
 */
export function openLink(
  o: QueueAddress & { timeoutMs: number; connections: number; replicas?: number; logger: Logger },
): QueueLink {
  return queueKind(o.queueUrl) === 'redis' ? openRedisLink(o) : openPostgresLink(o);
}

function openRedisLink(o: QueueAddress & { timeoutMs: number; replicas?: number; logger: Logger }): RedisLink {
  const { replicas = 0 } = o;
  const isShared = replicas === 0 && parseClusterUrl(o.queueUrl) === undefined;
  const connections = new Map<number, Redis>();
  const redis = (lane: number): Redis => {
    const place = isShared ? 0 : lane;
    let connection = connections.get(place);
    if (!connection) {
      const target = { queueUrl: o.queueUrl, key: lanePrefix(o.queuePrefix, place) };
      connection = connectFailingFast(target, o.timeoutMs, o.logger);
      connections.set(place, connection);
    }
    return connection;
  };
  const lanes = laneQueues(o, (lane) => (name, opts) => createRedisBackend(name, { ...opts, connection: redis(lane) }));
  redis(0); // connects before it is needed
  return {
    kind: 'redis',
    redis,
    isShared,
    queue: lanes.queue,
    ready: (lane = 0) => ready(redis(lane)),
    async serverTimeMs(lane = 0) {
      await ready(redis(lane));
      const [seconds, micros] = await redis(lane).time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    },
    write: (lane, deadlineMs, write) =>
      replicas === 0 ? write() : withReplicas(redis(lane), { replicas, deadlineMs }, write),
    async close() {
      await lanes.close();
      for (const connection of connections.values()) connection.disconnect();
    },
  };
}

function openPostgresLink(o: QueueAddress & { timeoutMs: number; connections: number; logger: Logger }): PostgresLink {
  const { queueUrl, queuePrefix: schema, timeoutMs, logger } = o;
  const connection = new LaneConnection({ queueUrl, schema, max: o.connections, timeoutMs, logger });
  const lanes = laneQueues(
    o,
    () => (name) => new PostgresQueueBackend(connection, name, { connection: queueUrl }, false),
  );
  return {
    kind: 'postgres',
    pool: connection.pool,
    isShared: true,
    write: (_lane, _deadlineMs, write) => write(),
    ready: () => connection.waitUntilReady(),
    queue: lanes.queue,
    async serverTimeMs() {
      await connection.waitUntilReady();
      const { rows } = await connection.pool.query<{ ms: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
      );
      return (rows[0] as { ms: number }).ms;
    },
    async close() {
      await lanes.close();
      await connection.close();
    },
  };
}

function laneQueues(o: QueueAddress & { logger: Logger }, factoryOf: (lane: number) => LaneBackendFactory) {
  const queues = new Map<number, LaneQueue>();
  return {
    queue: (lane: number): LaneQueue => {
      let queue = queues.get(lane);
      if (!queue) {
        queue = new Queue<unknown, void, string, unknown, void, string, IQueueBackend, string>(
          laneQueueName(lane),
          {
            connection: queueKind(o.queueUrl),
            prefix: lanePrefix(o.queuePrefix, lane),
            // a process starts while the queue is away: ask nothing and write nothing before there is a job
            skipWaitingForReady: true,
            skipVersionCheck: true,
            skipMetasUpdate: true,
            defaultJobOptions: { removeOnComplete: true, removeOnFail: false, attempts: 1 },
          },
          factoryOf(lane),
        );
        queue.on('error', (error) => o.logger.debug({ reason: error.message, lane }, 'queue error'));
        queues.set(lane, queue);
      }
      return queue;
    },
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}

/** What a BullMQ worker runs on: its commands wait for the server for ever. */
export interface WorkerBackend {
  factory: LaneBackendFactory;
  /** drops all connections without waiting for anything */
  close(): Promise<void>;
}

/** Connections of a worker's pool on Postgres, beside the one that listens. */
const WORKER_POOL = 4;
/** For a statement of a worker on Postgres. */
const WORKER_TIMEOUT_MS = 10_000;

/** @param o.lane decides the keys on Redis, and so the server in a cluster: a backend serves one lane */
export function openWorkerBackend(o: QueueAddress & { lane: number; logger: Logger }): WorkerBackend {
  if (queueKind(o.queueUrl) === 'redis') {
    const redis = connectWaiting({ queueUrl: o.queueUrl, key: lanePrefix(o.queuePrefix, o.lane) }, o.logger);
    return {
      factory: (name, opts, kind) => withPatience(createRedisBackend(name, { ...opts, connection: redis }, kind)),
      close: async () => redis.disconnect(),
    };
  }
  const connection = new LaneConnection({
    queueUrl: o.queueUrl,
    schema: o.queuePrefix,
    max: WORKER_POOL,
    timeoutMs: WORKER_TIMEOUT_MS,
    logger: o.logger,
  });
  return {
    // the backend reads lock and stall settings of the worker from its options
    factory: (name, opts) =>
      withPatience(new WorkerPostgresBackend(connection, name, { ...opts, connection: o.queueUrl })),
    close: () => connection.close(),
  };
}
