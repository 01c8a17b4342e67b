import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until there is an answer; an error of the question counts as "not yet".
 *
 * @param what names the condition in the failure
 * @param ask returns the awaited value, or undefined for "not yet"
 * @throws Error with the last error as its cause
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  o: { timeoutMs: number; everyMs?: number },
): Promise<T> {
  const deadline = Date.now() + o.timeoutMs;
  let lastError: unknown;
  do {
    try {
      const value = await ask();
      if (value !== undefined) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await delay(o.everyMs ?? 50);
  } while (Date.now() < deadline);
  throw new Error(`not within ${o.timeoutMs} ms: ${what}`, lastError === undefined ? undefined : { cause: lastError });
}
