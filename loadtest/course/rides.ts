import { type Random, seededRandom } from '../../src/simulator/random.ts';
import type { LoadRequest } from '../client/closed-loop.ts';

/** One ride as the course's clients post it. */
export interface CourseRide {
  resortId: number;
  skierId: number;
  liftId: number;
  /** minutes after opening */
  time: number;
}

/** The course's ranges, all from 1: see SkiDataAPI's load clients. */
export const COURSE = { resorts: 10, skiers: 100_000, lifts: 40, times: 360, season: 2022, day: 1 };
/** Of a lift, in the sample resorts as in the course. */
const METRES_PER_LIFT_ID = 10;
/** A ride that is posted twice must count once. */
const REPEAT_SHARE = 0.01;

export interface CourseRequest extends LoadRequest {
  ride: CourseRide;
}

/** @returns endless requests, the same for the same seed; one in a hundred repeats an earlier ride */
export function* courseRequests(seed: string): Generator<CourseRequest, never> {
  const random = seededRandom(seed);
  let earlier = randomRide(random);
  for (;;) {
    const dice = random.next();
    const ride = dice < REPEAT_SHARE ? earlier : randomRide(random);
    if (dice > 1 - REPEAT_SHARE) earlier = ride;
    yield courseRequest(ride);
  }
}

export function courseRequest(ride: CourseRide): CourseRequest {
  return {
    method: 'POST',
    path: `/skiers/${ride.resortId}/seasons/${COURSE.season}/days/${COURSE.day}/skiers/${ride.skierId}`,
    headers: { 'content-type': 'application/json' },
    body: `{"time":${ride.time},"liftID":${ride.liftId}}`,
    ride,
  };
}

function randomRide(random: Random): CourseRide {
  return {
    resortId: random.between(1, COURSE.resorts),
    skierId: random.between(1, COURSE.skiers),
    liftId: random.between(1, COURSE.lifts),
    time: random.between(1, COURSE.times),
  };
}

/** What must be readable after the acks so far: sums over distinct rides. */
export class Expectation {
  readonly #seen = new Set<string>();
  /** metres by resort, by skier */
  readonly bySkier = new Map<number, Map<number, number>>();
  readonly skiersOfResort = new Map<number, Set<number>>();
  acks = 0;

  /** distinct rides */
  get rides(): number {
    return this.#seen.size;
  }

  noteAck({ resortId, skierId, liftId, time }: CourseRide): void {
    this.acks += 1;
    const key = `${resortId}/${skierId}/${liftId}/${time}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const resorts = this.bySkier.get(skierId) ?? new Map<number, number>();
    resorts.set(resortId, (resorts.get(resortId) ?? 0) + liftId * METRES_PER_LIFT_ID);
    this.bySkier.set(skierId, resorts);
    const skiers = this.skiersOfResort.get(resortId) ?? new Set<number>();
    this.skiersOfResort.set(resortId, skiers.add(skierId));
  }
}
