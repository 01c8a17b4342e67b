import { v7 as uuidv7 } from 'uuid';
import type { Scan } from '../../src/domain/scan.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import type { Logger } from '../../src/platform/logger.ts';
import { decodeBatch } from '../../src/queue/codec.ts';
import { type ConsumerOptions, type LaneConsumer, openConsumer } from '../../src/queue/consumer.ts';
import { prepareQueue } from '../../src/queue/prepare.ts';
import { freshDatabase } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';

/** A queue server of the test's own, made ready. */
export interface TestQueue {
  queueUrl: string;
  stop(): Promise<void>;
}

/** Both servers that lanes run on: each suite runs on both. */
export const backends = [
  {
    name: 'Redis',
    async start(): Promise<TestQueue> {
      const redis = await startRedis();
      return { queueUrl: redis.url, stop: () => redis.stop() };
    },
  },
  {
    name: 'Postgres',
    async start(): Promise<TestQueue> {
      const database = await freshDatabase();
      return { queueUrl: database.url, stop: () => database.drop() };
    },
  },
];

/** Everything of one test: a prefix of its own, so that the tests of a file share a server and see nothing of each other. */
export async function openSite(queueUrl: string, logger: Logger) {
  const queuePrefix = `t${uuidv7().replaceAll('-', '')}`;
  await prepareQueue({ queueUrl, queuePrefix });
  const lifecycle = new Lifecycle({ logger });
  return { queueUrl, queuePrefix, laneCount: 2, ackDeadlineMs: 2_000, logger, lifecycle };
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
