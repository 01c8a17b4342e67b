import { Problem } from '../../domain/problem.ts';
import type { Listener } from './listener.ts';

/** One skier's phones and pages; a single token must not take the room of all. */
const MAX_OF_SKIER = 20;
const RETRY_AFTER_S = 10;

/** Who listens in this process. A place is taken before anything is read for a listener, and given back when it leaves. */
export class Listeners {
  readonly #max: number;
  readonly #ofSkier = new Map<number, Set<Listener>>();
  readonly #places = new Map<number, number>();
  #taken = 0;

  /** @param max how many may listen at once */
  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#taken;
  }

  /**
   * @returns gives the place back, once
   * @throws Problem `overloaded`, or `quota_exceeded` for a skier with too many of them
   */
  take(skierId: number): () => void {
    const ofSkier = this.#places.get(skierId) ?? 0;
    if (this.#taken >= this.#max) {
      throw new Problem('overloaded', 'too many listen here', { retryAfterS: RETRY_AFTER_S });
    }
    if (ofSkier >= MAX_OF_SKIER) {
      throw new Problem('quota_exceeded', `${MAX_OF_SKIER} listen to this skier`, { retryAfterS: RETRY_AFTER_S });
    }
    this.#taken += 1;
    this.#places.set(skierId, ofSkier + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(skierId);
      isTaken = false;
    };
  }

  #giveBack(skierId: number): void {
    this.#taken -= 1;
    const left = (this.#places.get(skierId) ?? 1) - 1;
    if (left > 0) this.#places.set(skierId, left);
    else this.#places.delete(skierId);
  }

  add(listener: Listener): void {
    const { skierId } = listener.start;
    const ofSkier = this.#ofSkier.get(skierId) ?? new Set();
    this.#ofSkier.set(skierId, ofSkier.add(listener));
  }

  remove(listener: Listener): void {
    const { skierId } = listener.start;
    const ofSkier = this.#ofSkier.get(skierId);
    ofSkier?.delete(listener);
    if (ofSkier?.size === 0) this.#ofSkier.delete(skierId);
  }

  has(skierId: number): boolean {
    return this.#ofSkier.has(skierId);
  }

  /** those of a skier */
  of(skierId: number): Iterable<Listener> {
    return this.#ofSkier.get(skierId) ?? [];
  }

  *all(): Iterable<Listener> {
    for (const ofSkier of this.#ofSkier.values()) yield* ofSkier;
  }
}
