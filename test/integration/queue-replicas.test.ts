import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { openLink } from '../../src/queue/backend.ts';
import { checkDurability } from '../../src/queue/durability.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { withReplicas } from '../../src/queue/replicas.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { collect, openSite, type Site, scansOf } from './queue-backends.ts';

const DEADLINE_MS = 1_000;
/** What a busy machine may add. */
const SLACK_MS = 3_000;

/** To sync, and to stop at once also while it does. */
const QUICK = ['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0', '--shutdown-on-sigterm', 'force'];

/** @param of the port of its primary, or of something in front of it */
function startReplica(of: number | string): Promise<TestRedis> {
  return startRedis({ args: [...QUICK, '--replicaof', '127.0.0.1', String(of)] });
}

/** As the primary sees it: it counts a replica only once that has answered for the first time. */
async function inStep(primary: TestRedis): Promise<void> {
  const client = new Redis(primary.url);
  await until('the replica is in step', async () => /^slave0:.*state=online/m.test(await client.info('replication')));
  await client.set('in-step', 1);
  await until('and confirms', async () => (await client.wait(1, 1_000)) === 1);
  client.disconnect();
}

describe.skipIf(!redisAvailable)('a queue that waits for a replica', () => {
  let primary: TestRedis;
  let replica: TestRedis;
  let site: Site & { queueReplicas: number };
  beforeEach(async () => {
    primary = await startRedis({ args: QUICK });
    replica = await startReplica(primary.port);
    await inStep(primary);
    site = { ...(await openSite(primary.url)), ackDeadlineMs: DEADLINE_MS, queueReplicas: 1 };
  });
  afterEach(async () => {
    replica.signal('SIGCONT');
    await site.lifecycle.stop(10_000);
    await Promise.all([replica.stop(), primary.stop()]);
  });

  it('confirms nothing while the replica is stopped, in time, and goes on with it', async () => {
    const producer = await openProducer(site);
    await producer.enqueue(0, scansOf(1));
    await producer.enqueue(1, scansOf(1));
    replica.signal('SIGSTOP');
    for (const lane of [0, 1]) expect(await refusalMs(producer, lane)).toBeLessThan(DEADLINE_MS + SLACK_MS);
    // it is known now: nobody waits for it again
    expect(await refusalMs(producer, 0)).toBeLessThan(DEADLINE_MS / 2);
    expect(producer.isUp()).toBe(false);
    replica.signal('SIGCONT');
    await until('it confirms again', () => producer.enqueue(0, scansOf(1)));
    await until('the other lane too', () => producer.enqueue(1, scansOf(1)));
  });

  it('holds up no other lane while one waits', async () => {
    const link = openLink({ ...site, timeoutMs: 20_000, connections: 1, replicas: 1 });
    const observer = new Redis(primary.url);
    site.lifecycle.onStop('link', () => link.close());
    site.lifecycle.onStop('observer', () => observer.disconnect());
    for (const lane of [0, 1]) await link.ready(lane);
    const addTo = (lane: number) => () => link.queue(lane).add('1', {});
    for (const lane of [0, 1]) await link.write(lane, 10_000, addTo(lane));
    replica.signal('SIGSTOP');
    let isWaiting = true;
    const waiting = link.write(0, 20_000, addTo(0)).finally(() => {
      isWaiting = false;
    });
    await until('the job is on the primary', async () => /^blocked_clients:1/m.test(await observer.info()));
    for (let i = 0; i < 20; i++) await addTo(1)();
    // the control: the lane that waits is held up itself
    let isLate = true;
    const late = addTo(0)().finally(() => {
      isLate = false;
    });
    await addTo(1)();
    expect([isWaiting, isLate]).toEqual([true, true]);
    replica.signal('SIGCONT');
    await Promise.all([waiting, late]);
  });

  it('asks on the connection that wrote, or not at all', async () => {
    const redis = new Redis(primary.url);
    try {
      await once(redis, 'ready');
      const write = () => redis.set('a', 1);
      await withReplicas(redis, { replicas: 1, deadlineMs: 5_000 }, write);
      const reconnecting = async () => {
        await write();
        redis.disconnect(true);
        await once(redis, 'ready');
      };
      // the new one has written nothing: WAIT would say yes at once
      await expect(withReplicas(redis, { replicas: 1, deadlineMs: 5_000 }, reconnecting)).rejects.toThrow(
        /connection changed/,
      );
      await expect(withReplicas(redis, { replicas: 2, deadlineMs: 500 }, write)).rejects.toThrow(
        '1 of 2 replicas confirmed in time',
      );
    } finally {
      redis.disconnect();
    }
  });

  it('is told at the start that replicas are missing, and waits for them', async () => {
    expect(await checkDurability(primary.url, 'strict', { replicas: 1 })).toEqual({ problems: [], warnings: [] });
    expect(await checkDurability(primary.url, 'strict', { replicas: 2 })).toEqual({
      problems: [],
      warnings: [expect.stringMatching(/QUEUE_REPLICAS is 2/)],
    });
  });
});

describe.skipIf(!redisAvailable)('a failover to a replica that was cut off', () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  /** @returns how many jobs were acked before and after the cut, and which of all of them the replica does not have */
  async function failover(queueReplicas: number) {
    const primary = await startRedis({ args: QUICK });
    stops.push(() => primary.stop());
    const proxy = await startFaultProxy(primary.url);
    stops.push(() => proxy.close());
    const replica = await startReplica(new URL(proxy.url).port);
    stops.push(() => replica.stop());
    await inStep(primary);
    const site = { ...(await openSite(primary.url)), ackDeadlineMs: 2_000, queueReplicas };
    stops.push(() => site.lifecycle.stop(10_000));
    const producer = await openProducer(site);
    const before = await ackedOf(producer, 40);
    await inStep(primary); // nobody waited for it where QUEUE_REPLICAS is 0
    proxy.goSilent();
    const after = await ackedOf(producer, 40);
    primary.signal('SIGKILL');
    const promoted = new Redis(replica.url);
    await promoted.replicaof('NO', 'ONE');
    promoted.disconnect();
    const there = { ...site, queueUrl: replica.url };
    const { consumer, got } = collect(there);
    consumer.start();
    const last = await (await openProducer({ ...there, queueReplicas: 0 })).enqueue(0, scansOf(1));
    await until('the replica is drained', () => got.some(({ batchId }) => batchId === last.batchId));
    await consumer.drain(5_000);
    const stored = new Set(got.map(({ batchId }) => batchId));
    return { before, after, lost: [...before, ...after].filter((batchId) => !stored.has(batchId)) };
  }

  it('loses nothing that was acked with the replica’s word', { timeout: 60_000 }, async () => {
    const { before, after, lost } = await failover(1);
    expect(before).toHaveLength(40);
    expect(after).toEqual([]);
    expect(lost).toEqual([]);
  });

  it('loses acked jobs without it: the control', { timeout: 60_000 }, async () => {
    const { before, after, lost } = await failover(0);
    expect(before).toHaveLength(40);
    expect(after).toHaveLength(40);
    expect(lost).toEqual(after);
  });
});

/** @returns the batches that were acked, of so many attempts */
async function ackedOf(producer: LaneProducer, attempts: number): Promise<string[]> {
  const acked: string[] = [];
  for (let i = 0; i < attempts; i++) {
    const ack = await producer.enqueue(0, scansOf(2)).catch(() => undefined);
    if (ack) acked.push(ack.batchId);
  }
  return acked;
}

/** @returns how long the refusal took, milliseconds */
async function refusalMs(producer: LaneProducer, lane: number): Promise<number> {
  const startedAt = performance.now();
  await expect(producer.enqueue(lane, scansOf(1))).rejects.toMatchObject({ code: 'queue_unavailable' });
  return performance.now() - startedAt;
}
