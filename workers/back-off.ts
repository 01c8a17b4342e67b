import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 50;
const MAX_MS = 3_000;

/** Waits that double, each a random half shorter, so that workers that lost a node together do not come back together. */
export class BackOff {
  #attempts = 0;

  /** @returns the next wait in milliseconds */
  nextMs(): number {
    const fullMs = Math.min(MAX_MS, FIRST_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    return fullMs * (0.5 + Math.random() / 2);
  }

  /** @throws the signal's reason once it aborts */
  async wait(signal: AbortSignal): Promise<void> {
    try {
      await delay(this.nextMs(), undefined, { signal });
    } catch {
      throw signal.reason;
    }
  }

  reset(): void {
    this.#attempts = 0;
  }
}
