import { type LaneBacklog, oldestAgeMs } from './backlog.ts';

/** From where on a lane takes nothing more. 0 of any: no such bound. */
export interface AdmissionLimits {
  /** of the oldest job in the lane, seconds */
  backlogAgeS: number;
  /** scans that wait in the lane */
  backlogScans: number;
  /** of the `maxmemory` of the Redis server that has the lane, percent; nothing where it has no limit */
  memoryPercent: number;
}

export type AdmissionReason = 'age' | 'scans' | 'memory';

/** One bound of one lane. */
export interface AdmissionState {
  lane: number;
  reason: AdmissionReason;
  isClosed: boolean;
}

/** What one look found of a lane. */
export interface AdmissionLook extends Pick<LaneBacklog, 'lane' | 'takenAt' | 'oldestAcceptedAt' | 'scans'> {
  /** percent of `maxmemory` in use; undefined where there is no limit */
  memoryPercent: number | undefined;
}

/** What a value falls below before its bound opens again, as a part of what closed it: so far that it does not close again at once. */
const REOPENS_BELOW: Readonly<Record<AdmissionReason, number>> = { age: 0.5, scans: 0.5, memory: 0.85 };
/**
 * Age must stand at its limit for this part of it: a dead letter that is replayed keeps its age, and so do the jobs that a
 * whole system finds when it starts again. They are gone within seconds, and are no reason to refuse anything.
 */
const AGE_LASTS = 1 / 30;

/** Says of each lane whether it is closed, and by what; all are open at first. */
export class AdmissionJudge {
  readonly #lanes: Threshold[][];

  constructor(limits: AdmissionLimits, laneCount: number) {
    const highs = { age: limits.backlogAgeS * 1_000, scans: limits.backlogScans, memory: limits.memoryPercent };
    const bounds = (Object.entries(highs) as [AdmissionReason, number][]).filter(([, high]) => high > 0);
    this.#lanes = Array.from({ length: laneCount }, (_, lane) =>
      bounds.map(([reason, high]) => new Threshold(lane, reason, high)),
    );
  }

  /**
   * @param nowMs of a monotonic clock
   * @returns the bounds that closed or opened with this look
   */
  judge(looks: readonly AdmissionLook[], nowMs: number): AdmissionState[] {
    return looks.flatMap((look) => {
      const values = { age: oldestAgeMs(look) ?? 0, scans: look.scans, memory: look.memoryPercent ?? 0 };
      const bounds = this.#lanes[look.lane] ?? [];
      return bounds.filter((bound) => bound.moves(values[bound.reason], nowMs)).map(stateOf);
    });
  }

  /** @returns why a lane takes nothing now, or undefined when it is open */
  closedBy(lane: number): AdmissionReason | undefined {
    return this.#lanes[lane]?.find(({ isClosed }) => isClosed)?.reason;
  }

  states(): AdmissionState[] {
    return this.#lanes.flat().map(stateOf);
  }
}

/** Closes at `high`, opens again below the lower one, and in between stays as it is. */
class Threshold {
  readonly lane: number;
  readonly reason: AdmissionReason;
  isClosed = false;
  readonly #high: number;
  readonly #lastsMs: number;
  #highSince: number | undefined;

  constructor(lane: number, reason: AdmissionReason, high: number) {
    this.lane = lane;
    this.reason = reason;
    this.#high = high;
    this.#lastsMs = reason === 'age' ? high * AGE_LASTS : 0;
  }

  /** @returns whether the value closed or opened it */
  moves(value: number, nowMs: number): boolean {
    const before = this.isClosed;
    if (value < this.#high) this.#highSince = undefined;
    else this.#highSince ??= nowMs;
    if (value < this.#high * REOPENS_BELOW[this.reason]) this.isClosed = false;
    else if (this.#highSince !== undefined && nowMs - this.#highSince >= this.#lastsMs) this.isClosed = true;
    return this.isClosed !== before;
  }
}

function stateOf({ lane, reason, isClosed }: Threshold): AdmissionState {
  return { lane, reason, isClosed };
}
