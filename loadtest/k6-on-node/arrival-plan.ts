/** When the iterations of a scenario start. */
export interface ArrivalPlan {
  /** from the first to the end of the time in which any may start, milliseconds */
  durationMs: number;
  /** of the whole scenario */
  total: number;
  /** @returns how many should have been started when this time has passed; never falls, never beyond `total` */
  dueAt(elapsedMs: number): number;
}

interface Ramp {
  durationMs: number;
  /** iterations a millisecond, at its two ends; linear between them */
  from: number;
  to: number;
}

/** @param rate iterations for every `timeUnitMs` */
export function constantArrivals(rate: number, timeUnitMs: number, durationMs: number): ArrivalPlan {
  return planOf([{ durationMs, from: rate / timeUnitMs, to: rate / timeUnitMs }]);
}

/** From `startRate` in a line to the target of the first stage, from there to that of the second, and so on. */
export function rampingArrivals(
  startRate: number,
  timeUnitMs: number,
  stages: readonly { duration: number; target: number }[],
): ArrivalPlan {
  let from = startRate / timeUnitMs;
  const ramps = stages.map(({ duration, target }) => {
    const ramp = { durationMs: duration, from, to: target / timeUnitMs };
    from = ramp.to;
    return ramp;
  });
  return planOf(ramps);
}

/** A floating sum may miss a whole number by this much. */
const ROUNDING = 1e-6;

function planOf(ramps: readonly Ramp[]): ArrivalPlan {
  const durationMs = ramps.reduce((sum, ramp) => sum + ramp.durationMs, 0);
  const area = (elapsedMs: number): number => {
    let left = elapsedMs;
    let sum = 0;
    for (const ramp of ramps) {
      const spent = Math.min(left, ramp.durationMs);
      const slope = ramp.durationMs === 0 ? 0 : (ramp.to - ramp.from) / ramp.durationMs;
      sum += (ramp.from + (slope * spent) / 2) * spent;
      left -= spent;
    }
    return sum;
  };
  const total = Math.floor(area(durationMs) + ROUNDING);
  return {
    durationMs,
    total,
    // the first one starts at once, the next when a whole interval has passed
    dueAt: (elapsedMs) => (elapsedMs < 0 ? 0 : Math.min(total, Math.floor(area(elapsedMs) + ROUNDING) + 1)),
  };
}
