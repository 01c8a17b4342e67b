import { setTimeout as delay } from 'node:timers/promises';
import { compareSkier, type Difference } from './comparison.ts';
import type { HistoryApi } from './history-api.ts';
import type { SimulatedRide, Tally } from './tally.ts';

export interface ReadBackOptions {
  history: HistoryApi;
  tally: Tally;
  /** the whole plan, by skier */
  plan: ReadonlyMap<number, readonly SimulatedRide[]>;
  resortId: number;
  /** local, YYYY-MM-DD */
  date: string;
  isOurs: (eventId: string) => boolean;
  /** how long the backlog may take to become visible */
  settleMs: number;
  /** called as skiers are found right; `left` are still to come */
  onProgress: (left: number) => void;
}

const PARALLEL_READS = 8;
const ROUND_PAUSE_MS = 250;

/**
 * Reads back every skier who was sent anything. Whoever differs is read again until the time is up, since the backlog
 * and a read in the middle of a write both heal by themselves; what differs then, differs.
 *
 * @throws ReadError when a skier can't be read even then
 */
export async function readBack(o: ReadBackOptions): Promise<Difference[]> {
  const deadline = Date.now() + o.settleMs;
  let left = [...o.plan.keys()].filter((skierId) => wasSent(o, skierId));
  for (;;) {
    const isLastRound = Date.now() >= deadline;
    const differences = await round(o, left, isLastRound);
    left = left.filter((skierId) => differences.has(skierId));
    o.onProgress(left.length);
    if (left.length === 0 || isLastRound) return [...differences.values()].flat();
    await delay(ROUND_PAUSE_MS);
  }
}

function wasSent(o: ReadBackOptions, skierId: number): boolean {
  return (o.plan.get(skierId) ?? []).some((ride) => o.tally.outcomeOf(ride) !== 'unsent');
}

/** @returns the differences of those who have any; a failed read is one to be repeated, and thrown in the last round */
async function round(
  o: ReadBackOptions,
  skiers: readonly number[],
  isLast: boolean,
): Promise<Map<number, Difference[]>> {
  const found = new Map<number, Difference[]>();
  const queue = skiers.values();
  let done = 0;
  const reader = async (): Promise<void> => {
    for (const skierId of queue) {
      const differences = await compareOne(o, skierId, isLast);
      if (differences.length > 0) found.set(skierId, differences);
      done += 1;
      if (done % 100 === 0) o.onProgress(skiers.length - done + found.size);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, reader));
  return found;
}

async function compareOne(o: ReadBackOptions, skierId: number, isLast: boolean): Promise<Difference[]> {
  try {
    const [rides, days] = await Promise.all([o.history.rides(skierId, o.date), o.history.days(skierId, o.date)]);
    return compareSkier(o.plan.get(skierId) ?? [], (ride) => o.tally.outcomeOf(ride), { skierId, rides, days }, o);
  } catch (error) {
    if (isLast) throw error;
    return [{ kind: 'lost', skierId, detail: 'not readable yet' }];
  }
}
