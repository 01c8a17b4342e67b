import type { Random } from '../../src/simulator/random.ts';

/**
 * Picks among 1 to `count`, the one in place k of popularity with a weight of 1/k (Zipf's law). Who stands where is chance too, so that
 * the popular ones are spread over all shards.
 *
 * @returns a function that picks one
 */
export function powerLaw(count: number, random: Random): () => number {
  const byPlace = Array.from({ length: count }, (_, at) => at + 1);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = random.between(0, at);
    [byPlace[at], byPlace[other]] = [byPlace[other] as number, byPlace[at] as number];
  }
  const upTo = new Float64Array(count);
  let sum = 0;
  for (let place = 1; place <= count; place += 1) upTo[place - 1] = sum += 1 / place;
  return () => {
    const wanted = random.next() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) <= wanted) low = middle + 1;
      else high = middle;
    }
    return byPlace[low] as number;
  };
}
