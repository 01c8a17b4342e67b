import type { StoredDay, StoredRide } from './history-api.ts';
import type { Outcome, SimulatedRide } from './tally.ts';

/**
 * lost: acked, not there. phantom: there, never planned. refused: there, though it was refused. twice: there more than
 * once. altered: there with other fields. total: the day's totals are not those of its rides.
 */
export interface Difference {
  kind: 'lost' | 'phantom' | 'refused' | 'twice' | 'altered' | 'total';
  skierId: number;
  detail: string;
}

export interface SkierHistory {
  skierId: number;
  rides: readonly StoredRide[];
  days: readonly StoredDay[];
}

/**
 * Compares what one skier sees with what was acked. Rides of other origin in the same history are none of our business,
 * except that the day's totals must count them too.
 *
 * @param planned every ride of the plan for this skier, sent or not: an earlier run of the same plan may have stored them
 * @param isOurs tells by the event id whether a ride is of this plan's making
 */
export function compareSkier(
  planned: readonly SimulatedRide[],
  outcomeOf: (ride: SimulatedRide) => Outcome,
  history: SkierHistory,
  o: { resortId: number; isOurs: (eventId: string) => boolean },
): Difference[] {
  const { skierId } = history;
  const byEvent = new Map<string, StoredRide[]>();
  for (const ride of history.rides) byEvent.set(ride.eventId, [...(byEvent.get(ride.eventId) ?? []), ride]);
  const found: Difference[] = [];
  const report = (kind: Difference['kind'], detail: string) => found.push({ kind, skierId, detail });

  for (const ride of planned) {
    const stored = byEvent.get(ride.eventId) ?? [];
    const outcome = outcomeOf(ride);
    const [first] = stored;
    if (!first) {
      if (outcome === 'acked') report('lost', nameOf(ride.eventId, ride.liftId, ride.scannedAtMs));
      continue;
    }
    if (outcome === 'refused') report('refused', nameOf(ride.eventId, ride.liftId, ride.scannedAtMs));
    if (stored.length > 1) report('twice', `${ride.eventId}, ${stored.length} times`);
    for (const change of changes(ride, first, o.resortId)) report('altered', `${ride.eventId}: ${change}`);
  }
  const known = new Set(planned.map(({ eventId }) => eventId));
  for (const [eventId, [ride]] of byEvent)
    if (ride && o.isOurs(eventId) && !known.has(eventId))
      report('phantom', nameOf(eventId, ride.liftId, ride.scannedAtMs));
  for (const detail of totalDifferences(history)) report('total', detail);
  return found;
}

function changes(ride: SimulatedRide, stored: StoredRide, resortId: number): string[] {
  const pairs: [string, number, number][] = [
    ['resortId', resortId, stored.resortId],
    ['liftId', ride.liftId, stored.liftId],
    ['scannedAt', ride.scannedAtMs, stored.scannedAtMs],
    ['verticalM', ride.verticalM, stored.verticalM],
  ];
  return pairs
    .filter(([, sent, kept]) => sent !== kept)
    .map(([field, sent, kept]) => `${field} sent ${sent}, stored ${kept}`);
}

/** The totals are kept beside the rides, by another statement's arithmetic: they must say the same. */
function totalDifferences({ rides, days }: SkierHistory): string[] {
  const sums = new Map<number, StoredDay>();
  for (const { resortId, verticalM } of rides) {
    const sum = sums.get(resortId) ?? { resortId, rides: 0, verticalM: 0 };
    sums.set(resortId, { resortId, rides: sum.rides + 1, verticalM: sum.verticalM + verticalM });
  }
  const totals = new Map(days.map((day) => [day.resortId, day]));
  return [...new Set([...sums.keys(), ...totals.keys()])].flatMap((resortId) => {
    const sum = sums.get(resortId) ?? { rides: 0, verticalM: 0 };
    const total = totals.get(resortId) ?? { rides: 0, verticalM: 0 };
    if (sum.rides === total.rides && sum.verticalM === total.verticalM) return [];
    return [
      `resort ${resortId}: ${sum.rides} rides of ${sum.verticalM} m listed, ${total.rides} of ${total.verticalM} m counted`,
    ];
  });
}

function nameOf(eventId: string, liftId: number, scannedAtMs: number): string {
  return `${eventId}, lift ${liftId} at ${new Date(scannedAtMs).toISOString()}`;
}
