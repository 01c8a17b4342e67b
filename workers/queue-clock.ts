import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import { openLink } from '../src/queue/backend.ts';
import type { QueueAddress } from '../src/queue/lanes.ts';
import { createServerClock, type ServerClock } from '../src/queue/server-clock.ts';

const EVERY_MS = 10_000;
const TIMEOUT_MS = 2_000;

/**
 * Follows the clock of the queue's server, which stamped the jobs: freshness is measured on one clock. In a cluster each
 * lane has its own server, and so its own clock.
 *
 * @returns begins to follow a lane's clock, and tells it: milliseconds since the epoch, or undefined until it is known
 */
export function followQueueClock(
  o: QueueAddress & { logger: Logger; lifecycle: Pick<Lifecycle, 'onStop'> },
): (lane: number) => () => number | undefined {
  const link = openLink({ ...o, timeoutMs: TIMEOUT_MS, connections: 1 });
  let measuring: Promise<void> = Promise.resolve();
  const clocks = new Map<number, ServerClock>();
  const clockOf = (lane: number) => {
    const place = link.isShared ? 0 : lane;
    let clock = clocks.get(place);
    if (!clock) {
      clock = createServerClock({ readServerTimeMs: () => link.serverTimeMs(place) });
      clocks.set(place, clock);
      measuring = measuring.then(measure);
    }
    return clock;
  };
  const measure = async () => {
    const answers = await Promise.allSettled([...clocks.values()].map((clock) => clock.measure()));
    for (const answer of answers) {
      if (answer.status === 'rejected') o.logger.debug({ err: answer.reason }, 'the queue does not tell its time');
    }
  };
  const timer = setInterval(() => {
    measuring = measuring.then(measure);
  }, EVERY_MS);
  o.lifecycle.onStop('queue clock', async () => {
    clearInterval(timer);
    await measuring;
    await link.close();
  });
  return (lane) => {
    const clock = clockOf(lane);
    return () => (clock.isMeasured() ? clock.nowMs() : undefined);
  };
}
