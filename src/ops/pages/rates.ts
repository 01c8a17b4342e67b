/** Rates are told over at least so long, where looks go back so far. */
const LEAST_MS = 1_500;
/** Older looks say nothing of now: nobody has looked in between. */
const MOST_MS = 15_000;

interface Sample {
  atMs: number;
  count: number;
}

/** Rates of counts that only grow, told from look to look. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>();

  /**
   * Notes a count, and compares it with the latest that is old enough.
   *
   * @param o.of names the count
   * @param o.atMs when it was so, on a clock that only goes on, later than the last time
   * @param o.count undefined when this look could not see it: the next one is compared with those before
   * @returns per second, 0 or more; undefined while there is nothing to compare with
   */
  next({ of, atMs, count }: { of: string; atMs: number; count: number | undefined }): number | undefined {
    if (count === undefined) return undefined;
    const earlier = (this.#samples.get(of) ?? []).filter((sample) => atMs - sample.atMs <= MOST_MS);
    while (earlier[1] && atMs - earlier[1].atMs >= LEAST_MS) earlier.shift();
    this.#samples.set(of, [...earlier, { atMs, count }]);
    const [from] = earlier;
    return from && (Math.max(0, count - from.count) * 1_000) / (atMs - from.atMs);
  }
}
