import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition, asking again and again; an error of the question counts as "not yet".
 *
 * @param what names the condition in the failure
 * @param ask returns the awaited value, or false or undefined for "not yet"
 * @param timeoutMs how long it may take, 10 s unless given
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | undefined> | T | false | undefined,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await ask();
      if (value !== false && value !== undefined) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await delay(10);
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, lastError === undefined ? undefined : { cause: lastError });
}

/** Does something again and again until `work` is done. @returns what that came to */
export async function whileRunning<T>(work: Promise<T>, act: () => Promise<unknown>): Promise<T> {
  const running = { isOn: true };
  const result = work.finally(() => {
    running.isOn = false;
  });
  while (running.isOn) await act();
  return result;
}
