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
import { POSTGRES_LANE_TIME, REDIS_LANE_TIME } from './lane-time.ts';
import { clockKey, lanePrefix, laneQueueName, type QueueAddress, queueKind } from './lanes.ts';
import { withPatience } from './patience.ts';
import { LaneConnection, WorkerPostgresBackend } from './postgres.ts';
import { parseClusterUrl } from '../platform/queue-url.ts';
import { connectFailingFast, connectWaiting, type FailingFastRedis, ready } from './redis.ts';
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
  /** the time of the lane, lane 0's unless given, see `lane-time.ts`; milliseconds since the epoch */
  serverTimeMs(lane?: number): Promise<number>;
  /**
   * Runs a write of a lane. Resolves when as many replicas have it as this link was told to wait for.
   *
   * @throws what the write throws, or Error when too few replicas confirm within the deadline
   */
  write<T>(lane: number, deadlineMs: number, write: () => Promise<T>): Promise<T>;
  /**
   * The time of the lane, read after each of its writes that has resolved; for links that were opened with `tellsTime`.
   *
   * @throws what the question throws
   */
  timeAfterWrites(lane: number): Promise<number>;
  close(): Promise<void>;
}

export interface RedisLink extends Link {
  kind: 'redis';
  /** the connection to the server that has the lane */
  redis(lane: number): Redis;
  /** where the lane's time has its mark */
  clockKey(lane: number): string;
}

export interface PostgresLink extends Link {
  kind: 'postgres';
  pool: PgPool;
}

/** How a process that must not wait talks to the queue: everything fails at once while the server is away. */
export type QueueLink = RedisLink | PostgresLink;

type LinkOptions = QueueAddress & {
  timeoutMs: number;
  connections: number;
  replicas?: number;
  tellsTime?: boolean;
  logger: Logger;
};

/**
 * Opens a link; returns at once, whether the server is there or not.
 *
 * @param o.timeoutMs for connecting, and for the server's silence
 * @param o.connections on Postgres: the size of the pool. On Redis one connection carries everything; in a cluster, and with
 *   replicas to wait for, each lane has its own
 * @param o.replicas how many replicas of Redis must confirm a write; none unless given
 * @param o.tellsTime whether `timeAfterWrites` will be asked
 */
export function openLink(o: LinkOptions): QueueLink {
  return queueKind(o.queueUrl) === 'redis' ? openRedisLink(o) : openPostgresLink(o);
}

function openRedisLink(o: LinkOptions): RedisLink {
  const { replicas = 0 } = o;
  const isCluster = parseClusterUrl(o.queueUrl) !== undefined;
  const isShared = replicas === 0 && !isCluster;
  const clockKeyOf = (lane: number) => clockKey(o.queuePrefix, lane, isCluster);
  const connections = new Map<number, FailingFastRedis>();
  const redis = (lane: number): FailingFastRedis => {
    const place = isShared ? 0 : lane;
    let connection = connections.get(place);
    if (!connection) {
      const target = { queueUrl: o.queueUrl, key: clockKeyOf(place) };
      connection = connectFailingFast(target, o.timeoutMs, o.logger);
      if (o.tellsTime) connection.askTimeAfterScripts(target.key);
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
    clockKey: clockKeyOf,
    queue: lanes.queue,
    ready: (lane = 0) => ready(redis(lane)),
    timeAfterWrites: (lane) => redis(lane).timeAfterScripts(),
    async serverTimeMs(lane = 0) {
      await ready(redis(lane));
      return Number(await redis(lane).eval(REDIS_LANE_TIME, 1, clockKeyOf(lane)));
    },
    write: (lane, deadlineMs, write) =>
      replicas === 0 ? write() : withReplicas(redis(lane), { replicas, deadlineMs }, write),
    async close() {
      await lanes.close();
      for (const connection of connections.values()) connection.disconnect();
    },
  };
}

function openPostgresLink(o: LinkOptions): PostgresLink {
  const { queueUrl, queuePrefix: schema, timeoutMs, logger } = o;
  const connection = new LaneConnection({ queueUrl, schema, max: o.connections, timeoutMs, logger });
  const lanes = laneQueues(
    o,
    () => (name) => new PostgresQueueBackend(connection, name, { connection: queueUrl }, false),
  );
  const askTime = async () => {
    const { rows } = await connection.pool.query<{ ms: number }>(POSTGRES_LANE_TIME);
    return (rows[0] as { ms: number }).ms;
  };
  return {
    kind: 'postgres',
    pool: connection.pool,
    isShared: true,
    write: (_lane, _deadlineMs, write) => write(),
    ready: () => connection.waitUntilReady(),
    queue: lanes.queue,
    async serverTimeMs() {
      await connection.waitUntilReady();
      return askTime();
    },
    timeAfterWrites: onceATurn(askTime),
    async close() {
      await lanes.close();
      await connection.close();
    },
  };
}

/** All that ask in one turn of the event loop share one question, which leaves after the turn. */
function onceATurn<T>(ask: () => Promise<T>): () => Promise<T> {
  let question: Promise<T> | undefined;
  return () => {
    question ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      question = undefined;
      return ask();
    });
    return question;
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
