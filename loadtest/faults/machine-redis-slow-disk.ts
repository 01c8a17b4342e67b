import { until } from '../client/until.ts';
import type { Fault, FaultContext, FaultPlace, FaultStackOptions } from './fault.ts';
import { needsRedis } from './needs.ts';
import { canCompile } from './tools/compile.ts';
import { openRedisAdmin } from './tools/redis-admin.ts';
import { createSlowDisk, type SlowDisk } from './tools/slow-disk.ts';
import { whileWorkersStand } from './tools/standing-workers.ts';

/** Two of these fit into the 2 s in which the queue has to confirm. */
const SYNC_MS = 800;
const BETWEEN_KILLS = 8_000;
/** Redis on the slow disk confirms a few batches first. */
const ON_SLOW_DISK = 300;
/** What a Redis that does not wait for its disk has confirmed and not even handed to the kernel. */
const AT_RISK_BYTES = 100_000;
const WATCH_MS = 4_000;

/** A disk that takes 0.8 s for each sync, and then kill -9, when as much as possible was confirmed and not written. */
export const redisSlowDisk: Fault = {
  name: 'redis-slow-disk',
  summary: "Redis' disk takes 0.8 s for each sync, then kill -9",
  canRun: () => (needsRedis() === true ? canCompile() : needsRedis()),
  stack: onSlowDisk,
  inflict,
  control: {
    setting: 'Redis that syncs once a second (appendfsync everysec)',
    stack: async (place) => ({
      ...(await onSlowDisk(place)),
      redisArgs: ['--appendfsync', 'everysec'],
      env: { QUEUE_DURABILITY: 'accept-loss' },
    }),
  },
};

/** Of each run that is under way. */
const disks = new WeakMap<FaultPlace, SlowDisk>();

async function onSlowDisk(place: FaultPlace): Promise<FaultStackOptions> {
  const disk = await createSlowDisk(place.folder);
  disks.set(place, disk);
  return { redisEnv: disk.env };
}

async function inflict(context: FaultContext): Promise<void> {
  const { redis, workers } = context.stack;
  const disk = disks.get(context.place);
  if (!redis || !disk) throw new Error('the stack has no Redis on a slow disk');
  do {
    await context.untilMoreAcked(BETWEEN_KILLS);
    await whileWorkersStand(workers, async () => {
      await disk.slowDown(SYNC_MS);
      context.mark('slow disk');
      await context.untilMoreAcked(ON_SLOW_DISK);
      await untilMuchAtRisk(redis.url);
      redis.process.signal('SIGKILL');
      context.mark('kill -9 redis');
      await redis.process.ended();
      await disk.recover();
      await redis.process.restart();
      context.mark('redis is back, its disk is fast');
    });
  } while (!context.isEnough());
}

/** The worst moment for a Redis that confirms before it writes; one that writes first never has such a moment. */
async function untilMuchAtRisk(redisUrl: string): Promise<void> {
  const admin = openRedisAdmin(redisUrl);
  const isMuch = async () => (await admin.number('aof_buffer_length')) > AT_RISK_BYTES || undefined;
  try {
    await until('much is at risk', isMuch, { timeoutMs: WATCH_MS, everyMs: 5 }).catch(() => {});
  } finally {
    admin.close();
  }
}
