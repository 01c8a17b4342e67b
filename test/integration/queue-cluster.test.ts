import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisCluster, RedisClusterNode } from '../../loadtest/stack/redis-cluster.ts';
import { decodeBatch } from '../../src/queue/codec.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { openConsumer } from '../../src/queue/consumer.ts';
import { checkDurability } from '../../src/queue/durability.ts';
import { lanePrefix } from '../../src/queue/lanes.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { redisAvailable } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { openSite, type Site, scansOf, startTestCluster } from './queue-backends.ts';

const LANES = [0, 1, 2, 3];
const DEADLINE_MS = 500;
/** What a busy machine may add. */
const SLACK_MS = 3_000;

describe.skipIf(!redisAvailable)('a Redis Cluster of three masters with a replica each', () => {
  let cluster: RedisCluster;
  let site: Site & { queueReplicas: number };
  beforeAll(async () => {
    // a replica takes over however old its data are
    cluster = await startTestCluster({ args: ['--cluster-replica-validity-factor', '0'] });
  });
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    // this prefix is the default, and its four lanes are on all three masters
    site = { ...(await openSite(cluster.url)), queuePrefix: 'liftline', laneCount: LANES.length, queueReplicas: 1 };
  });
  afterEach(() => site.lifecycle.stop(10_000));

  const masterOfLane = (lane: number) => cluster.masterOf(lanePrefix(site.queuePrefix, lane));

  it('is as durable as each of its nodes', async () => {
    expect(await checkDurability(cluster.url, 'strict', { replicas: 1 })).toEqual({ problems: [], warnings: [] });
    const [first, , third] = cluster.nodes as [RedisClusterNode, RedisClusterNode, RedisClusterNode];
    await onNode(first, (redis) => redis.config('SET', 'appendfsync', 'everysec'));
    await onNode(third, (redis) => redis.config('SET', 'cluster-require-full-coverage', 'yes'));
    expect(await checkDurability(cluster.url, 'strict')).toEqual({
      problems: [expect.stringMatching(new RegExp(`appendfsync is everysec, not always on 127.0.0.1:${first.port}:`))],
      warnings: [expect.stringMatching(/require-full-coverage/)],
    });
    await onNode(first, (redis) => redis.config('SET', 'appendfsync', 'always'));
    await onNode(third, (redis) => redis.config('SET', 'cluster-require-full-coverage', 'no'));
  });

  it('says which URL to use when a node is named as if it were alone', async () => {
    const [{ port, url }] = cluster.nodes as [RedisClusterNode];
    const { problems } = await checkDurability(url, 'accept-loss');
    expect(problems).toEqual([expect.stringContaining(`redis+cluster://127.0.0.1:${port}`)]);
  });

  it('is found by any one of its nodes', async () => {
    const [, , , fourth] = cluster.nodes as RedisClusterNode[];
    const producer = await openProducer({ ...site, queueUrl: `redis+cluster://127.0.0.1:${fourth?.port}` });
    const acked: string[] = [];
    for (const lane of LANES) acked.push((await producer.enqueue(lane, scansOf(1))).batchId);
    expect([...(await drained())].toSorted()).toEqual(acked.toSorted());
  });

  it('drains four lanes from three masters', async () => {
    const masters = await Promise.all(LANES.map(masterOfLane));
    expect(new Set(masters).size).toBe(3);
    const producer = await openProducer(site);
    const acked = await Promise.all(
      LANES.flatMap((lane) => Array.from({ length: 25 }, () => producer.enqueue(lane, scansOf(3)))),
    );
    const backlog = openBacklog({ ...site, timeoutMs: 2_000 });
    expect(await backlog.read()).toMatchObject(LANES.map((lane) => ({ lane, waitingJobs: 25, scans: 75 })));
    const got = await drained();
    expect(acked.filter(({ batchId }) => !got.has(batchId))).toEqual([]);
  });

  it('loses nothing that was acked when a master dies under load, and others keep flowing', {
    timeout: 120_000,
  }, async () => {
    const victim = await masterOfLane(0);
    const hit = await lanesOn(victim);
    const spared = LANES.filter((lane) => !hit.includes(lane));
    expect([hit.length, spared.length]).not.toContain(0);
    const producer = await openProducer(site);
    const got = startConsumers();
    const load = startLoad(producer);
    await until('every lane flows', () => LANES.every((lane) => load.acked(lane).length >= 20), 30_000);

    victim.process.signal('SIGKILL');
    await victim.process.ended();
    const whenKilled = LANES.map((lane) => load.acked(lane).length);
    const sinceKilled = (lane: number) => load.acked(lane).length - (whenKilled[lane] ?? 0);
    await until('the others flow while it is dead', () => spared.every((lane) => sinceKilled(lane) >= 20), 30_000);
    expect(producer.isUp()).toBe(true);
    await until('its replica took over', async () => (await masterOfLane(0)) !== victim, 30_000);
    await victim.process.restart(); // it comes back as the replica that acks wait for
    await until('its lanes flow again', () => hit.every((lane) => sinceKilled(lane) >= 20), 60_000);
    await load.stop();

    const acked = LANES.flatMap((lane) => load.acked(lane));
    await allEmpty();
    expect(load.refusals()).toBeGreaterThan(0);
    expect(acked.filter((batchId) => !got.has(batchId))).toEqual([]);
  });

  it('refuses in time what belongs to a master that hangs, until its replica took over', {
    timeout: 60_000,
  }, async () => {
    const victim = await masterOfLane(0);
    const hit = await lanesOn(victim);
    const spared = LANES.find((lane) => !hit.includes(lane)) as number;
    const producer = await openProducer({ ...site, queueReplicas: 0, ackDeadlineMs: DEADLINE_MS });
    victim.process.signal('SIGSTOP');
    const startedAt = performance.now();
    await expect(producer.enqueue(0, scansOf(1))).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS + SLACK_MS);
    await producer.enqueue(spared, scansOf(1));
    expect(producer.isUp()).toBe(true);
    await until('its lane flows again', () => producer.enqueue(0, scansOf(1)), 30_000);
    expect(await masterOfLane(0)).not.toBe(victim);
    victim.process.signal('SIGCONT');
    await drained();
    await inStep(0);
  });

  it.each([
    [1, 'nothing that was acked'],
    [0, 'what was acked, the control'],
  ])(
    'with QUEUE_REPLICAS=%d, a master that dies while its replica is away loses %s',
    { timeout: 120_000 },
    async (queueReplicas) => {
      const victim = await masterOfLane(0);
      const [replica] = await inStep(0);
      const producer = await openProducer({ ...site, queueReplicas, ackDeadlineMs: 500 });
      const acked = [(await producer.enqueue(0, scansOf(1))).batchId];
      await until('the replica has it', () =>
        onNode(victim, async (redis) => isWhole(await redis.info('replication'))),
      );
      replica?.process.signal('SIGKILL');
      await replica?.process.ended();
      const behind: string[] = [];
      for (let i = 0; i < 20; i++) {
        const ack = await producer.enqueue(0, scansOf(1)).catch(() => undefined);
        if (ack) behind.push(ack.batchId);
      }
      victim.process.signal('SIGKILL');
      await victim.process.ended();
      await replica?.process.restart();
      await until('its replica took over', async () => (await masterOfLane(0)) === replica, 60_000);
      await victim.process.restart();
      const got = await drained();
      expect(behind).toHaveLength(queueReplicas === 0 ? 20 : 0);
      expect([...acked, ...behind].filter((batchId) => !got.has(batchId))).toEqual(behind);
    },
  );

  /** @returns the replicas of a lane's master, once there is one */
  function inStep(lane: number): Promise<RedisClusterNode[]> {
    return until('its replica is in step', async () => {
      const replicas = await cluster.replicasOf(await masterOfLane(lane));
      return replicas.length === 1 && replicas;
    });
  }

  async function lanesOn(master: RedisClusterNode): Promise<number[]> {
    const masters = await Promise.all(LANES.map(masterOfLane));
    return LANES.filter((lane) => masters[lane] === master);
  }

  /** @returns the batches that were handled, which grows */
  function startConsumers(): Set<string> {
    const got = new Set<string>();
    for (const lane of LANES) {
      const consumer = openConsumer({
        ...site,
        lane,
        concurrency: 4,
        lockMs: 2_000,
        stallCheckMs: 500,
        handle: async ({ data }) => void got.add(decodeBatch(data).batchId),
      });
      consumer.start();
    }
    return got;
  }

  async function allEmpty(): Promise<void> {
    const backlog = openBacklog({ ...site, timeoutMs: 2_000 });
    const isEmpty = async () => (await backlog.read()).every(({ scans }) => scans === 0);
    await until('all lanes are empty', isEmpty, 60_000);
  }

  async function drained(): Promise<Set<string>> {
    const got = startConsumers();
    await allEmpty();
    return got;
  }
});

/** Two callers a lane, one scan after the other, as fast as they are answered. */
function startLoad(producer: LaneProducer) {
  const acked = LANES.map((): string[] => []);
  let refusals = 0;
  const over = new AbortController();
  const call = async (lane: number) => {
    while (!over.signal.aborted) {
      const ack = await producer.enqueue(lane, scansOf(2)).catch(() => undefined);
      if (ack) acked[lane]?.push(ack.batchId);
      else {
        refusals += 1;
        await new Promise((resolve) => setTimeout(resolve, 20)); // refused at once: don't spin
      }
    }
  };
  const callers = [...LANES, ...LANES].map(call);
  return {
    acked: (lane: number) => acked[lane] ?? [],
    refusals: () => refusals,
    async stop() {
      over.abort();
      await Promise.all(callers);
    },
  };
}

async function onNode<T>(node: RedisClusterNode, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(node.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** @returns whether the replica has all that its master has written */
function isWhole(info: string): boolean {
  const offset = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
  return offset !== undefined && new RegExp(`^slave0:.*offset=${offset},`, 'm').test(info);
}
