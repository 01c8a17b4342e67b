// The module `k6/timers` as a script sees it.
import { callerAfterInit } from '../session.ts';

/** @returns a number, as in k6 */
export function setTimeout(callback: () => void, delayMs: number): number {
  callerAfterInit('setTimeout()');
  return Number(globalThis.setTimeout(callback, delayMs));
}
