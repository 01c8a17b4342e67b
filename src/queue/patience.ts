import { setTimeout as delay } from 'node:timers/promises';
import type { IQueueBackend } from 'bullmq';

const PAUSE_MS = 500;

/**
 * What a worker needs that BullMQ 6.7 does not have: after an error other than a refused connection (a full Redis, a reset
 * connection, a timeout) it asks for the next job again at once, as fast as the CPU allows; and it calls a job failed that
 * was done, when only the word that it is done did not get through. Here asking pauses, and the word is given again.
 *
 * @returns the same backend
 */
export function withPatience<B extends IQueueBackend>(backend: B): B {
  const claim = backend.moveToActive.bind(backend);
  backend.moveToActive = async (token, name) => {
    try {
      return await claim(token, name);
    } catch (error) {
      await delay(PAUSE_MS);
      throw error;
    }
  };
  const complete = backend.moveToCompleted.bind(backend);
  backend.moveToCompleted = async (...args) => {
    for (;;) {
      try {
        return await complete(...args);
      } catch (error) {
        if (isVerdict(error) || backend.closing) throw error;
        await delay(PAUSE_MS);
      }
    }
  };
  return backend;
}

/** BullMQ's own answers (its enum ErrorCode): the job is gone, or another worker has it. They stay the same when asked again. */
export function isVerdict(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' && code < 0;
}
