import { FIRST_CHAIR, type Habit, HABITS, LUNCH } from './habits.ts';
import type { Lift, LiftNetwork } from './network.ts';
import { type Random, seededRandom } from './random.ts';

/** One pass of a gate, as it will happen. */
export interface PlannedRide {
  skierId: number;
  liftId: number;
  /** milliseconds after opening */
  atMs: number;
}

export interface DayPlanOptions {
  seed: string;
  /** how many come */
  skiers: number;
  /** their ids count up from here */
  firstSkierId: number;
  network: LiftNetwork;
  /** minutes after midnight, local */
  opensAtMinute: number;
  closesAtMinute: number;
  /** how much faster than usual they ski: 2 makes about twice the rides */
  pace: number;
}

const MINUTE_MS = 60_000;

/**
 * The rides of one ski day, in the order of time. Each skier follows a habit, with a random source of their own: more
 * skiers do not change what the first ones do. The first one takes the first chair: whoever watches that skier sees rides
 * soon after the day has begun.
 */
export function planDay(options: DayPlanOptions): PlannedRide[] {
  const rides: PlannedRide[] = [];
  for (let n = 0; n < options.skiers; n += 1) {
    const skierId = options.firstSkierId + n;
    const random = seededRandom(`${options.seed}/skier/${skierId}`);
    const drawn = random.weighted(HABITS, ({ share }) => share);
    rides.push(...skierDay(skierId, n === 0 ? FIRST_CHAIR : drawn, random, options));
  }
  return rides.toSorted((a, b) => a.atMs - b.atMs || a.skierId - b.skierId);
}

function skierDay(skierId: number, habit: Habit, random: Random, options: DayPlanOptions): PlannedRide[] {
  const closing = options.closesAtMinute - options.opensAtMinute;
  const arrives = Math.max(0, random.around(habit.arrives.mean, habit.arrives.spread));
  const leaves = Math.min(closing, arrives + random.around(habit.stays.mean, habit.stays.spread));
  const lunchAt = random.around(LUNCH.clockMinute, LUNCH.spread) - options.opensAtMinute;
  let hungry = habit.lunchMinutes > 0 && lunchAt > arrives;

  const rides: PlannedRide[] = [];
  let lift = random.pick(options.network.valley);
  let minute = arrives;
  while (minute < leaves) {
    if (hungry && minute >= lunchAt) {
      hungry = false;
      minute += random.around(habit.lunchMinutes, habit.lunchMinutes / 4);
      continue;
    }
    rides.push({ skierId, liftId: lift.liftId, atMs: Math.floor(minute * MINUTE_MS) });
    lift = nextLift(lift, habit, random, options.network);
    const lap = Math.max(habit.lapMinutes / 3, random.around(habit.lapMinutes, habit.lapMinutes / 4));
    // two scans of one pass in the same millisecond would be one
    minute += Math.max(lap / options.pace, 2 / MINUTE_MS);
  }
  return rides;
}

function nextLift(lift: Lift, habit: Habit, random: Random, network: LiftNetwork): Lift {
  if (random.next() < habit.loyalty) return lift;
  const draw = (candidate: Lift) => (habit.climbs ? 100 + candidate.verticalM : 100);
  return random.weighted(network.reachableFrom(lift), draw);
}
