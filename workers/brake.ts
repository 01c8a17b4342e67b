import { setTimeout as delay } from 'node:timers/promises';

export interface BrakeOptions {
  /** 0 is no brake */
  scansPerS: number;
  /** told of every lane with a job in the line, when the line has moved on */
  onMove: (lane: number) => void;
}

/**
 * Lets no more than so many scans a second through, one job after the other in the order of their arrival; the jobs of all
 * lanes stand in one line. A job that waits here is in hand: no other worker takes it meanwhile.
 */
export class Brake {
  readonly #o: BrakeOptions;
  /** jobs in the line, by lane */
  readonly #standing = new Map<number, number>();
  #freeAt = 0;

  constructor(o: BrakeOptions) {
    this.#o = o;
  }

  /** @throws the signal's reason once it aborts */
  async pass(lane: number, scans: number, signal: AbortSignal): Promise<void> {
    if (this.#o.scansPerS === 0) return;
    const now = performance.now();
    const startAt = Math.max(now, this.#freeAt);
    this.#freeAt = startAt + (scans / this.#o.scansPerS) * 1_000;
    this.#stand(lane, 1);
    try {
      await delay(startAt - now, undefined, { signal });
      for (const waiting of this.#standing.keys()) this.#o.onMove(waiting);
    } catch {
      throw signal.reason;
    } finally {
      this.#stand(lane, -1);
    }
  }

  #stand(lane: number, change: 1 | -1): void {
    const count = (this.#standing.get(lane) ?? 0) + change;
    if (count > 0) this.#standing.set(lane, count);
    else this.#standing.delete(lane);
  }
}
