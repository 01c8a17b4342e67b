import { until } from '../client/until.ts';
import type { Fault, FaultContext } from './fault.ts';
import { needsRedis } from './needs.ts';
import { openRedisAdmin, type RedisAdmin } from './tools/redis-admin.ts';

/** Some seconds of the load fill it; Redis itself needs 2 of these. */
const MEMORY_MB = 24;
const MORE_MEMORY_MB = 256;
const BEFORE = 8_000;
const AFTER = 3_000;
/** Scans in a second that do not count as "still taking": the last ones that fit in somewhere. */
const TRICKLE = 100;
const FULL_MS = 120_000;
const DRAIN_MS = 15_000;

/**
 * Redis runs out of memory since the workers are away. The edges must refuse, at their own threshold or at the latest when
 * Redis does, and everything that was acked before must be stored once the workers are back. When not even the
 * workers can move a job any more, the server is given more memory, as an operator would, and the timeline says so.
 */
export const redisFull: Fault = {
  name: 'redis-full',
  summary: 'the workers stop until Redis is full and the edges refuse, then they come back',
  canRun: needsRedis,
  stack: () => ({ redisArgs: ['--maxmemory', `${MEMORY_MB}mb`] }),
  inflict: (context) => withAdmin(context, (admin) => fillAndDrain(context, admin)),
  control: {
    setting: 'Redis that evicts when it is full (allkeys-random, set while it runs: Liftline refuses to start on it)',
    stack: () => ({ redisArgs: ['--maxmemory', `${MEMORY_MB}mb`] }),
    inflict: (context) => withAdmin(context, (admin) => fillAndEvict(context, admin)),
  },
};

async function fillAndDrain(context: FaultContext, admin: RedisAdmin): Promise<void> {
  await stopWorkers(context);
  await untilRefused(context);
  const fullBytes = await admin.number('used_memory');
  context.mark(`the edges refuse, Redis holds ${(fullBytes / 2 ** 20).toFixed(1)} of ${MEMORY_MB} MB`);
  await restartWorkers(context);
  const hasDrained = async () => (await admin.number('used_memory')) < 0.8 * fullBytes || undefined;
  try {
    await until('Redis empties', hasDrained, { timeoutMs: DRAIN_MS });
  } catch {
    context.mark('the workers can not move a job: Redis gets more memory');
    await admin.set('maxmemory', `${MORE_MEMORY_MB}mb`);
    await until('Redis empties', hasDrained, { timeoutMs: DRAIN_MS });
  }
  await context.untilMoreAcked(AFTER);
  context.mark('scans are taken again');
}

async function fillAndEvict(context: FaultContext, admin: RedisAdmin): Promise<void> {
  await admin.set('maxmemory-policy', 'allkeys-random');
  await stopWorkers(context);
  const hasEvicted = async () => (await admin.number('evicted_keys')) > 0 || undefined;
  await until('Redis evicts', hasEvicted, { timeoutMs: FULL_MS });
  context.mark('Redis evicts');
  await restartWorkers(context);
}

async function stopWorkers(context: FaultContext): Promise<void> {
  await context.untilMoreAcked(BEFORE);
  await Promise.all(context.stack.workers.map((worker) => worker.stop()));
  context.mark('workers stopped');
}

async function restartWorkers(context: FaultContext): Promise<void> {
  await Promise.all(context.stack.workers.map((worker) => worker.restart()));
  context.mark('workers are back');
}

async function untilRefused(context: FaultContext): Promise<void> {
  const takesFew = async () => {
    const before = context.acked();
    await context.wait(1_000);
    return context.acked() - before < TRICKLE || undefined;
  };
  await until('the edges refuse', takesFew, { timeoutMs: FULL_MS });
}

async function withAdmin(context: FaultContext, act: (admin: RedisAdmin) => Promise<void>): Promise<void> {
  const admin = openRedisAdmin(context.stack.queueUrl);
  try {
    await act(admin);
  } finally {
    admin.close();
  }
}
