import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import type { Figure } from './figure.ts';
import { readMix } from './read-mix.ts';
import { readRates } from './read-rates.ts';
import type { BenchSize } from './size.ts';

/** What keeping answers is worth: one answer after the other, and in a mix of reads and writes. */
export async function reads(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  return [...(await readRates(size, lifecycle)), ...(await readMix(size, lifecycle))];
}
