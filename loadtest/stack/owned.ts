import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';

/**
 * Builds something of many parts, each of which tells the lifecycle that it gets how to stop it.
 *
 * @param o.stopMs how long stopping all of it may take
 * @param o.owner stops it, also when it is told to while it is being built (Ctrl-C): once all of it is there, or some has failed
 * @throws whatever `build` throws; what was built by then is stopped
 */
export async function buildOwned<T>(
  o: { name: string; stopMs: number; owner: Lifecycle | undefined },
  build: (lifecycle: Lifecycle) => Promise<T>,
): Promise<T> {
  const lifecycle = new Lifecycle({ logger: createLogger({ level: 'warn', process: o.name }) });
  const building = build(lifecycle);
  o.owner?.onStop(o.name, async () => {
    await Promise.allSettled([building]);
    await lifecycle.stop(o.stopMs);
  });
  try {
    return await building;
  } catch (error) {
    await lifecycle.stop(o.stopMs).catch(() => {}); // the first error is the one that tells
    throw error;
  }
}
