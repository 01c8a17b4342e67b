import type { TestEdge } from './edge.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openConsumer } from '../../src/queue/consumer.ts';
import { recordedLog } from './recorded-log.ts';

/**
 * Workers that store nothing, at every lane of a test's edge.
 *
 * @returns what stops them
 */
export function startDrain(edge: Pick<TestEdge, 'queueAddress' | 'laneCount'>): () => Promise<void> {
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  for (let lane = 0; lane < edge.laneCount; lane += 1) {
    openConsumer({
      ...edge.queueAddress,
      lane,
      concurrency: 16,
      lockMs: 10_000,
      stallCheckMs: 5_000,
      logger,
      lifecycle,
      handle: () => Promise.resolve(),
    }).start();
  }
  return () => lifecycle.stop(10_000);
}
