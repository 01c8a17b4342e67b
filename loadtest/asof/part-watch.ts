import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '../../src/platform/logger.ts';
import { openLink } from '../../src/queue/backend.ts';
import type { Stack } from '../stack.ts';

const EVERY_MS = 100;
const TIMEOUT_MS = 2_000;

/** @returns how many parts of jobs were seen in the queue that had gone back to it, until the signal */
export async function countParts(stack: Stack, signal: AbortSignal): Promise<number> {
  const logger = createLogger({ level: 'silent', process: 'part watch' });
  const link = openLink({ ...stack, timeoutMs: TIMEOUT_MS, connections: 1, logger });
  const seen = new Set<unknown>();
  const look = async (lane: number) => {
    for (const job of await link.queue(lane).getJobs(['waiting', 'active'])) {
      const { data } = job ?? {};
      if (typeof data === 'object' && data !== null && 'parentBatchId' in data && 'batchId' in data) {
        seen.add(data.batchId);
      }
    }
  };
  try {
    while (!signal.aborted) {
      // the queue may be away now and then
      await Promise.allSettled(Array.from({ length: stack.laneCount }, (_, lane) => look(lane)));
      await delay(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await link.close();
  }
  return seen.size;
}
