import { setTimeout as delay } from 'node:timers/promises';

/**
 * Lets no more than so many scans a second through, one job after the other in the order of their arrival. A job that
 * waits here is in hand: no other worker takes it meanwhile.
 */
export class Brake {
  readonly #scansPerS: number;
  #freeAt = 0;

  /** @param scansPerS 0 is no brake */
  constructor(scansPerS: number) {
    this.#scansPerS = scansPerS;
  }

  /** @throws the signal's reason once it aborts */
  async pass(scans: number, signal: AbortSignal): Promise<void> {
    if (this.#scansPerS === 0) return;
    const now = performance.now();
    const startAt = Math.max(now, this.#freeAt);
    this.#freeAt = startAt + (scans / this.#scansPerS) * 1_000;
    try {
      await delay(startAt - now, undefined, { signal });
    } catch {
      throw signal.reason;
    }
  }
}
