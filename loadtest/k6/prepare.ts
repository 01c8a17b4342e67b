import { gateOf, postScan } from './gate.ts';
import { ridesOf } from './read-back.ts';
import { learnLifts, type Lift } from './resorts.ts';
import { newScan } from './scans.ts';
import type { Settings } from './settings.ts';

const ROUNDS = 20;
const AT_ONCE = 10;

/**
 * The `setup` of every script. Some scans and reads go first, so that what is measured later are not a fresh process's
 * first requests: in a short run these alone would be the 99th percentile.
 *
 * @returns the lifts to scan at
 * @throws Error when the service does not answer, or has no lift at all
 */
export async function prepare(settings: Settings): Promise<Lift[]> {
  const lifts = await learnLifts(settings);
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => warmUp(settings, lifts, round)));
  }
  return lifts;
}

async function warmUp(settings: Settings, lifts: readonly Lift[], round: number): Promise<void> {
  const scan = newScan(lifts, Date.now());
  await postScan(gateOf(settings, round), scan, 'setup', 'setup');
  await ridesOf(settings, scan.skierId, 'setup');
}
