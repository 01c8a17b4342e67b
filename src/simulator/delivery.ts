import type { PlannedRide } from './day-plan.ts';
import { seededRandom } from './random.ts';

/** A span in which a gate has no network and keeps its scans. Milliseconds after opening. */
export interface Outage {
  liftId: number;
  fromMs: number;
  toMs: number;
}

/** One request of a gate. */
export interface Delivery<R extends PlannedRide = PlannedRide> {
  /** milliseconds after opening */
  atMs: number;
  /** one when the gate is online; up to {@link CATCH_UP_SIZE} when it catches up */
  rides: readonly R[];
  /** why it is sent: as it happens, after an outage, or again because the gate missed the reply */
  kind: 'live' | 'catch-up' | 'again';
}

/** A gate that was away sends what it kept in pieces of this size. */
export const CATCH_UP_SIZE = 100;
const MINUTE_MS = 60_000;

/** @returns one outage of 15 to 60 minutes for a share of the gates, at least one gate unless `share` is 0 */
export function planOutages(o: { seed: string; liftIds: readonly number[]; share: number; dayMs: number }): Outage[] {
  if (o.share <= 0) return [];
  const random = seededRandom(`${o.seed}/outages`);
  const gates = o.liftIds.filter(() => random.next() < o.share);
  const hit = gates.length > 0 ? gates : [random.pick(o.liftIds)];
  return hit.map((liftId) => {
    const fromMs = Math.floor(random.next() * o.dayMs * 0.8);
    const toMs = Math.min(o.dayMs, fromMs + random.between(15, 60) * MINUTE_MS);
    return { liftId, fromMs, toMs };
  });
}

/**
 * Turns rides into what the gates send: each at once while its gate is online, in batches when it comes back, and a
 * share of the requests once more a little later, since the device saw no reply and can't know better.
 *
 * @param o.againShare 0 to 1
 */
export function planDeliveries<R extends PlannedRide>(
  rides: readonly R[],
  o: { seed: string; outages: readonly Outage[]; againShare: number },
): Delivery<R>[] {
  const kept = new Map<Outage, R[]>(o.outages.map((outage) => [outage, []]));
  const deliveries: Delivery<R>[] = [];
  for (const ride of rides) {
    const outage = o.outages.find((span) => isWithin(span, ride));
    if (outage) kept.get(outage)?.push(ride);
    else deliveries.push({ atMs: ride.atMs, rides: [ride], kind: 'live' });
  }
  for (const [outage, late] of kept) {
    for (let at = 0; at < late.length; at += CATCH_UP_SIZE)
      deliveries.push({ atMs: outage.toMs, rides: late.slice(at, at + CATCH_UP_SIZE), kind: 'catch-up' });
  }
  const random = seededRandom(`${o.seed}/again`);
  const again = deliveries
    .filter(() => random.next() < o.againShare)
    .map(
      (first): Delivery<R> => ({ ...first, atMs: first.atMs + random.between(1_000, 5 * MINUTE_MS), kind: 'again' }),
    );
  return [...deliveries, ...again].toSorted((a, b) => a.atMs - b.atMs);
}

function isWithin(outage: Outage, ride: PlannedRide): boolean {
  return outage.liftId === ride.liftId && ride.atMs >= outage.fromMs && ride.atMs < outage.toMs;
}
