import type { ManagedProcess } from '../../stack/managed-process.ts';

/**
 * Stops the workers where they are (SIGSTOP) while something happens to the queue: what is acked meanwhile is in the queue
 * alone, and would be missed. Otherwise most of what a queue forgets was stored already.
 */
export async function whileWorkersStand(workers: readonly ManagedProcess[], act: () => Promise<void>): Promise<void> {
  for (const worker of workers) worker.signal('SIGSTOP');
  try {
    await act();
  } finally {
    for (const worker of workers) worker.signal('SIGCONT');
  }
}
