import type { Fault, FaultContext, FaultPlace, FaultStackOptions } from './fault.ts';
import { needsRedis } from './needs.ts';
import { canCutPower, createDiskImage, type DiskImage } from './tools/disk-image.ts';
import { whileWorkersStand } from './tools/standing-workers.ts';

/** Acked scans before a cut, and so many that only Redis has at the cut. */
const BETWEEN_CUTS = 8_000;
const AT_RISK = 3_000;
/** One may come just after a sync, when even a Redis that syncs once a second has little to lose. */
const MIN_CUTS = 2;
/** Append-only files of some minutes. */
const DISK_MB = 1_024;

/**
 * The power of the machine that Redis runs on fails: Redis and its disk stop in the same instant, and it starts on what the
 * disk has. Redis stands (SIGSTOP) for the microseconds between the two, so that it confirms nothing in between.
 */
export const redisPowerCut: Fault = {
  name: 'redis-power-cut',
  summary: "the power of Redis' machine fails, whatever was not synced is gone",
  canRun: () => (needsRedis() === true ? canCutPower() : needsRedis()),
  stack: (place) => onImage(place),
  inflict,
  control: {
    setting: 'Redis that syncs once a second (appendfsync everysec)',
    stack: async (place) => ({
      ...(await onImage(place)),
      redisArgs: ['--appendfsync', 'everysec'],
      env: { QUEUE_DURABILITY: 'accept-loss' },
    }),
  },
};

/** Of each run that is under way. */
const images = new WeakMap<FaultPlace, DiskImage>();

async function onImage(place: FaultPlace): Promise<FaultStackOptions> {
  const image = await createDiskImage({ parent: place.folder, name: 'redis', sizeMb: DISK_MB, canLosePower: true });
  place.lifecycle.onStop('disk of redis', () => image.remove());
  images.set(place, image);
  return { redisDir: image.folder };
}

async function inflict(context: FaultContext): Promise<void> {
  const { stack, place } = context;
  const { redis, workers } = stack;
  const image = images.get(place);
  if (!redis || !image) throw new Error('the stack has no Redis on a disk of its own');
  for (let cuts = 0; cuts < MIN_CUTS || !context.isEnough(); cuts += 1) {
    await context.untilMoreAcked(BETWEEN_CUTS);
    await whileWorkersStand(workers, async () => {
      await context.untilMoreAcked(AT_RISK);
      redis.process.signal('SIGSTOP');
      await image.cutPower();
      redis.process.signal('SIGKILL');
      context.mark('power cut of redis');
      await redis.process.ended();
      await image.powerOn();
      await redis.process.restart();
      context.mark('redis is back');
    });
  }
}
