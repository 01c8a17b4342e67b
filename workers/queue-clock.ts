import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import { openLink } from '../src/queue/backend.ts';
import type { QueueAddress } from '../src/queue/lanes.ts';
import { createServerClock } from '../src/queue/server-clock.ts';

const EVERY_MS = 10_000;
const TIMEOUT_MS = 2_000;

/**
 * Follows the clock of the queue's server, which stamped the jobs: freshness is measured on one clock.
 *
 * @returns milliseconds since the epoch on that clock, or undefined until it is known
 */
export function followQueueClock(
  o: QueueAddress & { logger: Logger; lifecycle: Pick<Lifecycle, 'onStop'> },
): () => number | undefined {
  const link = openLink({ ...o, timeoutMs: TIMEOUT_MS, connections: 1 });
  const clock = createServerClock({ readServerTimeMs: () => link.serverTimeMs() });
  const measure = () =>
    clock.measure().catch((error: unknown) => o.logger.debug({ err: error }, 'the queue does not tell its time'));
  let measuring = measure();
  const timer = setInterval(() => {
    measuring = measuring.then(measure);
  }, EVERY_MS);
  o.lifecycle.onStop('queue clock', async () => {
    clearInterval(timer);
    await measuring;
    await link.close();
  });
  return () => (clock.isMeasured() ? clock.nowMs() : undefined);
}
