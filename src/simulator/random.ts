import { createHash } from 'node:crypto';

/** A seeded source of chance: the same seed gives the same day. */
export interface Random {
  /** @returns 0 to just below 1 */
  next(): number;
  /** @returns an integer from `low` to `high`, both included */
  between(low: number, high: number): number;
  /** @returns about `mean`, rarely further away than two spreads (sum of three uniforms: bell enough, bounded) */
  around(mean: number, spread: number): number;
  /** @throws RangeError when there is nothing to pick from */
  pick<T>(from: readonly T[]): T;
  /** @returns the same items in another order, each order as likely as any other */
  shuffled<T>(items: readonly T[]): T[];
  /** picks by weight, each weight above 0 */
  weighted<T>(from: readonly T[], weightOf: (item: T) => number): T;
}

/** mulberry32 (public domain, T. Ettinger): 32 bits of state are plenty for a ski day, and its numbers never change. */
export function seededRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const weighted = <T>(from: readonly T[], weightOf: (item: T) => number): T => {
    let rest = next() * from.reduce((sum, item) => sum + weightOf(item), 0);
    for (const item of from) {
      rest -= weightOf(item);
      if (rest < 0) return item;
    }
    const last = from.at(-1);
    if (last === undefined) throw new RangeError('nothing to pick from');
    return last;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    around: (mean, spread) => mean + (next() + next() + next() - 1.5) * 2 * spread,
    pick: (from) => weighted(from, () => 1),
    shuffled: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ item }) => item),
    weighted,
  };
}
