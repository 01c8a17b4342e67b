/** A lift as the resort publishes it. */
export interface Lift {
  liftId: number;
  name: string;
  verticalM: number;
}

/** Which lifts start where another one's slopes end. */
export interface LiftNetwork {
  /** where the car park is: the day begins here */
  valley: readonly Lift[];
  /** the lift itself and what can be reached from its top; never empty */
  reachableFrom(lift: Lift): readonly Lift[];
}

/**
 * Lays a plausible network over a resort's lifts, the same for the same lifts: neighbours by number share a side of the
 * mountain, and one longer traverse from each keeps everything connected.
 *
 * @throws RangeError without lifts
 */
export function liftNetwork(lifts: readonly Lift[]): LiftNetwork {
  if (lifts.length === 0) throw new RangeError('a resort without lifts has no skiers');
  const ordered = lifts.toSorted((a, b) => a.liftId - b.liftId);
  const reachable = new Map<number, Lift[]>();
  for (const [at, lift] of ordered.entries()) {
    const traverse = ordered[(at * 7 + 3) % ordered.length];
    const near = [at - 2, at - 1, at, at + 1, at + 2].map((index) => (index < 0 ? undefined : ordered[index]));
    const found = [...near, traverse].filter((candidate) => candidate !== undefined);
    reachable.set(lift.liftId, [...new Set(found)]);
  }
  return {
    valley: ordered.slice(0, Math.max(1, Math.round(ordered.length / 8))),
    reachableFrom: (lift) => reachable.get(lift.liftId) ?? [lift],
  };
}
