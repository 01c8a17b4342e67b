const MOST = 20;
const WINDOW_MS = 60_000;

/**
 * Counts wrong keys, of everybody, so that whoever goes on and on is told so, and gateways see it by the status. What keeps
 * guessers out is the length of the key: the right one is taken whatever the others do, or anybody could lock operators out.
 */
export class WrongKeys {
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** @param now milliseconds of a clock that only goes on; `performance.now` unless given */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  note(): void {
    if (this.#now() - this.#since >= WINDOW_MS) {
      this.#since = this.#now();
      this.#count = 0;
    }
    this.#count += 1;
  }

  tooMany(): boolean {
    return this.#count >= MOST && this.#now() - this.#since < WINDOW_MS;
  }
}
