import type { Random } from '../../../src/simulator/random.ts';

/** @returns the same items in random order, each order as likely as any other */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const keyed = items.map((item) => ({ item, key: random.next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}
