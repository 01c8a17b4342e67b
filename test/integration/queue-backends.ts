import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { type RedisCluster, type RedisClusterOptions, startRedisCluster } from '../../loadtest/stack/redis-cluster.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openLink, type QueueLink } from '../../src/queue/backend.ts';
import type { LaneBacklog } from '../../src/queue/backlog.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { decodeBatch } from '../../src/queue/codec.ts';
import { type ConsumerOptions, type LaneConsumer, openConsumer } from '../../src/queue/consumer.ts';
import { prepareQueue } from '../../src/queue/prepare.ts';
import { freshDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { redisAvailable, startRedis } from '../support/redis.ts';

/** A queue server of the test's own. */
export interface TestQueue {
  queueUrl: string;
  stop(): Promise<void>;
}

/** A cluster of the test's own, in a folder that goes with it. */
export async function startTestCluster(o: RedisClusterOptions = {}): Promise<RedisCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-cluster-'));
  const cluster = await startRedisCluster(folder, o);
  return {
    ...cluster,
    async stop() {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The servers that lanes run on. */
const BACKENDS: { name: string; isAvailable: boolean; start: () => Promise<TestQueue> }[] = [
  {
    name: 'Redis',
    isAvailable: redisAvailable,
    async start() {
      const redis = await startRedis();
      return { queueUrl: redis.url, stop: () => redis.stop() };
    },
  },
  {
    name: 'Postgres',
    isAvailable: true,
    async start() {
      const database = await freshDatabase();
      return { queueUrl: database.url, stop: () => database.drop() };
    },
  },
];

const CLUSTER: (typeof BACKENDS)[number] = {
  name: 'a Redis Cluster',
  isAvailable: redisAvailable,
  async start() {
    const cluster = await startTestCluster({ replicas: 0 });
    return { queueUrl: cluster.url, stop: () => cluster.stop() };
  },
};

/**
 * The same tests on both backends, each test with lanes of its own; whatever it opened is closed after it.
 *
 * @param o.onCluster also on a Redis Cluster of three masters
 */
export function describeQueues(
  title: string,
  tests: (site: () => Site) => void,
  o: { onCluster?: boolean } = {},
): void {
  for (const { name, isAvailable, start } of [...BACKENDS, ...(o.onCluster ? [CLUSTER] : [])]) {
    describe.skipIf(!isAvailable)(`${title} on ${name}`, () => {
      let server: TestQueue;
      let site: Site;
      beforeAll(async () => {
        server = await start();
      });
      afterAll(() => server.stop());
      beforeEach(async () => {
        site = await openSite(server.queueUrl);
      });
      afterEach(() => site.lifecycle.stop(10_000));
      tests(() => site);
    });
  }
}

/** Everything of one test: a prefix of its own, so that the tests of a file share a server and see nothing of each other. */
export async function openSite(queueUrl: string) {
  const { logger, messages } = recordedLog();
  const queuePrefix = `t${uuidv7().replaceAll('-', '')}`;
  await prepareQueue({ queueUrl, queuePrefix });
  const lifecycle = new Lifecycle({ logger });
  return { queueUrl, queuePrefix, laneCount: 2, ackDeadlineMs: 2_000, logger, messages, lifecycle };
}

export type Site = Awaited<ReturnType<typeof openSite>>;

let skiers = 0;

/** @returns that many scans of different skiers */
export function scansOf(count: number): Scan[] {
  return Array.from({ length: count }, () => ({
    eventId: uuidv7(),
    skierId: ++skiers,
    resortId: 1,
    liftId: 1 + (skiers % 40),
    scannedAt: 1_764_576_000_000 + skiers,
    season: 2025,
    day: 30,
    date: '2025-12-01',
    hour: 9,
    verticalM: 400,
    deviceId: 7,
  }));
}

/** A consumer of lane 0 that notes what it got; `done` counts jobs whose handler returned. */
export function collect(site: Site, o: Partial<Pick<ConsumerOptions, 'handle' | 'lockMs' | 'stallCheckMs'>> = {}) {
  const got: { jobId: string; batchId: string; acceptedAt: number; scans: Scan[] }[] = [];
  const consumer: LaneConsumer = openConsumer({
    ...site,
    lane: 0,
    concurrency: 4,
    lockMs: o.lockMs ?? 2_000,
    stallCheckMs: o.stallCheckMs ?? 500,
    async handle(job) {
      got.push({ jobId: job.jobId, ...decodeBatch(job.data) });
      await o.handle?.(job);
    },
  });
  return { consumer, got };
}

/** What a lane with nothing in it says. */
export const EMPTY = {
  waitingJobs: 0,
  activeJobs: 0,
  delayedJobs: 0,
  failedJobs: 0,
  scans: 0,
  oldestAcceptedAt: null,
  exact: true,
};

/** A link to the site's server, for looking behind the scenes. */
export async function openTestLink(site: Site): Promise<QueueLink> {
  const link = openLink({ ...site, timeoutMs: 2_000, connections: 1 });
  site.lifecycle.onStop('test link', () => link.close());
  await link.ready();
  return link;
}

/** @returns a way to ask for the backlog of lane 0 */
export function lane0Of(site: Site): () => Promise<LaneBacklog> {
  const reader = openBacklog({ ...site, timeoutMs: 2_000 });
  return async () => (await reader.read())[0] as LaneBacklog;
}
