import { until } from '../client/until.ts';
import type { Fault, FaultContext } from './fault.ts';
import { needsRedis } from './needs.ts';
import { openRedisAdmin, type RedisAdmin } from './tools/redis-admin.ts';
import { untilRefused } from './tools/until-refused.ts';

/** Half a minute of the load fills it; a new Redis needs 2 of these. */
const MEMORY = ['--maxmemory', '16mb'];
const MORE_MEMORY = '256mb';
const BEFORE = 8_000;
const AFTER = 3_000;
const FULL_MS = 120_000;
/** Nearly every key is a job. */
const MANY_EVICTED = 50;
const DRAIN_MS = 15_000;
/** The edges do not look at Redis' memory. */
const NO_ADMISSION = { ADMIT_MEMORY_PERCENT: '0' };

/** Jobs pile up since the workers are away. The edges have to refuse at their threshold, and the workers empty Redis. */
export const redisFull: Fault = {
  name: 'redis-full',
  summary: 'the workers are stopped until the edges refuse since Redis is getting full, then they come back',
  canRun: needsRedis,
  stack: () => ({ redisArgs: MEMORY }),
  inflict: (context) =>
    withAdmin(context, async (admin) => {
      await fill(context, admin);
      await restartWorkers(context);
      await untilEmptier(admin);
      await context.untilMoreAcked(AFTER);
      context.mark('scans are taken again');
    }),
  control: {
    setting:
      'Redis that evicts when it is full (allkeys-random, set behind the back of Liftline, which refuses to start on it)',
    stack: () => ({ redisArgs: MEMORY, env: NO_ADMISSION }),
    inflict: (context) => withAdmin(context, (admin) => fillAndEvict(context, admin)),
  },
};

/**
 * The same to the brim, as when admission is off: Redis itself refuses every write then, those of the workers too, and
 * nothing moves until an operator gives it more memory. Nothing that was acked may be lost by that.
 */
export const redisBrimful: Fault = {
  name: 'redis-brimful',
  summary: 'the same without admission, until Redis itself refuses everything; then it gets more memory',
  canRun: needsRedis,
  stack: () => ({ redisArgs: MEMORY, env: NO_ADMISSION }),
  inflict: (context) =>
    withAdmin(context, async (admin) => {
      await fill(context, admin);
      await restartWorkers(context);
      await admin.set('maxmemory', MORE_MEMORY);
      context.mark('Redis has more memory');
      await untilEmptier(admin);
      await context.untilMoreAcked(AFTER);
      context.mark('scans are taken again');
    }),
  control: { none: 'as for redis-full' },
};

async function fill(context: FaultContext, admin: RedisAdmin): Promise<void> {
  await stopWorkers(context);
  await untilRefused(context, FULL_MS);
  const [used, most] = [await admin.number('used_memory'), await admin.number('maxmemory')];
  context.mark(`the edges refuse, Redis is ${Math.round((100 * used) / most)} % full`);
}

/** @throws Error when the workers do not empty it by a fifth in 15 s */
async function untilEmptier(admin: RedisAdmin): Promise<void> {
  const before = await admin.number('used_memory');
  const isEmptier = async () => (await admin.number('used_memory')) < 0.8 * before || undefined;
  await until('Redis empties', isEmptier, { timeoutMs: DRAIN_MS });
}

async function fillAndEvict(context: FaultContext, admin: RedisAdmin): Promise<void> {
  await admin.set('maxmemory-policy', 'allkeys-random');
  await stopWorkers(context);
  const hasEvicted = async () => (await admin.number('evicted_keys')) > MANY_EVICTED || undefined;
  await until('Redis evicts', hasEvicted, { timeoutMs: FULL_MS });
  context.mark('Redis evicts');
  await admin.set('maxmemory-policy', 'noeviction'); // otherwise no worker starts
  await admin.set('maxmemory', MORE_MEMORY); // and otherwise none could move a job
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

async function withAdmin(context: FaultContext, act: (admin: RedisAdmin) => Promise<void>): Promise<void> {
  const admin = openRedisAdmin(context.stack.queueUrl);
  try {
    await act(admin);
  } finally {
    admin.close();
  }
}
