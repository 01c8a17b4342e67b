import type { Answer } from './gate-api.ts';
import type { PlannedRide } from './day-plan.ts';

/** A planned ride with what the wire needs. */
export interface SimulatedRide extends PlannedRide {
  eventId: string;
  /** milliseconds since the epoch */
  scannedAtMs: number;
  verticalM: number;
}

/** `unknown`: sent, never confirmed, never refused: it may be stored or not. */
export type Outcome = 'unsent' | 'unknown' | 'acked' | 'refused';

/** Notes what happened to every ride of the plan. An ack is for ever: a later refusal of the same ride can't undo it. */
export class Tally {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #reasons = new Map<string, number>();
  /** rides sent, repeats included */
  sent = 0;

  outcomeOf(ride: { eventId: string }): Outcome {
    return this.#outcomes.get(ride.eventId) ?? 'unsent';
  }

  /** Call it before the request leaves: whatever happens then, the ride may be stored. */
  noteSent(rides: readonly SimulatedRide[]): void {
    this.sent += rides.length;
    for (const { eventId } of rides) if (!this.#outcomes.has(eventId)) this.#outcomes.set(eventId, 'unknown');
  }

  note(ride: SimulatedRide, answer: Answer): void {
    if (answer.outcome === 'acked') {
      this.#outcomes.set(ride.eventId, 'acked');
      return;
    }
    this.#reasons.set(answer.reason, (this.#reasons.get(answer.reason) ?? 0) + 1);
    if (answer.outcome === 'refused' && this.outcomeOf(ride) !== 'acked') this.#outcomes.set(ride.eventId, 'refused');
  }

  /** @returns how many distinct rides have an outcome */
  count(outcome: Exclude<Outcome, 'unsent'>): number {
    let found = 0;
    for (const each of this.#outcomes.values()) if (each === outcome) found += 1;
    return found;
  }

  /** @returns why requests were not acked, most frequent first */
  reasons(): { reason: string; count: number }[] {
    return [...this.#reasons].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count);
  }
}
