/** What was asked for; any of them may be missing. */
export interface DaySizeWishes {
  skiers?: number;
  /** scans a second, the mean over the day */
  rate?: number;
  /** simulated seconds a real one */
  speed?: number;
  /** real seconds */
  durationS?: number;
}

export interface DaySize {
  skiers: number;
  /** simulated seconds a real one */
  speed: number;
  /** how much faster than usual everyone skis */
  pace: number;
}

const DEFAULT_SKIERS = 200;
const DEFAULT_DURATION_S = 60;
/** At this pace a lap takes half a minute: whoever wants more scans wants more skiers. */
const MAX_PACE = 50;

/**
 * Skiers, rate and speed hang together: skiers x rides a day = rate x length of the day / speed. What is missing follows
 * from the rest; when all are given the skiers ski faster or slower than people do.
 *
 * @param ridesPerSkier what the habits make of a day
 * @param dayMs from opening to closing
 * @throws RangeError when the skiers could not keep up
 */
export function sizeDay(wishes: DaySizeWishes, ridesPerSkier: number, dayMs: number): DaySize {
  const { rate } = wishes;
  const speed = wishes.speed ?? speedFor(wishes, ridesPerSkier, dayMs);
  const realS = dayMs / 1_000 / speed;
  const skiers =
    wishes.skiers ?? (rate === undefined ? DEFAULT_SKIERS : Math.max(1, Math.round((rate * realS) / ridesPerSkier)));
  const pace = rate === undefined ? 1 : (rate * realS) / (skiers * ridesPerSkier);
  if (pace > MAX_PACE) {
    const needed = Math.ceil(((rate ?? 0) * realS) / (ridesPerSkier * MAX_PACE));
    throw new RangeError(
      `${skiers} skiers can't make ${rate} scans/s for ${Math.round(realS)} s: take ${needed} or more`,
    );
  }
  return { skiers, speed, pace };
}

function speedFor(wishes: DaySizeWishes, ridesPerSkier: number, dayMs: number): number {
  const dayS = dayMs / 1_000;
  if (wishes.durationS !== undefined) return dayS / wishes.durationS;
  if (wishes.rate !== undefined && wishes.skiers !== undefined) {
    return (dayS * wishes.rate) / (wishes.skiers * ridesPerSkier);
  }
  return dayS / DEFAULT_DURATION_S;
}
