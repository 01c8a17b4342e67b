import { gateOf, postScan } from './gate.ts';
import { readBack } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { newScan } from './scans.ts';
import type { Settings } from './settings.ts';

/** Read back about this many a second: enough to see a loss, too few to be a load of their own. */
const READ_BACK_PER_SECOND = 10;

/**
 * The usual iteration: one skier at one gate, now. Some are sent twice, as by a gate that never heard the first answer,
 * and read back: acked means readable, and twice sent is once stored.
 *
 * @param perSecond how often this is called, to choose the sample
 * @param iteration number of the iteration in its scenario
 * @param phase part of the run, as a tag
 */
export async function sendScan(o: {
  settings: Settings;
  lifts: readonly Lift[];
  perSecond: number;
  iteration: number;
  phase: string;
}): Promise<void> {
  const gate = gateOf(o.settings, o.iteration);
  const scan = newScan(o.lifts, Date.now());
  const isAcked = await postScan(gate, scan, o.phase);
  const ackedAt = Date.now();
  const sampleEvery = Math.max(1, Math.round(o.perSecond / READ_BACK_PER_SECOND));
  if (!isAcked || o.iteration % sampleEvery !== 0) return;
  await postScan(gate, scan, o.phase);
  await readBack(o.settings, scan, ackedAt, o.phase);
}
