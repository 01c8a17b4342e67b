import { performance } from 'node:perf_hooks';

/**
 * The queue server's clock, as this process knows it. Stamps that are compared across processes come from here: one
 * clock for all edges, whatever their own are set to.
 */
export interface ServerClock {
  /** whole milliseconds since the epoch on the queue server; @throws Error before the first measurement */
  nowMs(): number;
  isMeasured(): boolean;
  /** how far {@link nowMs} may be off, in milliseconds; Infinity before the first measurement */
  errorMs(): number;
  /** asks the server once; @throws what the question throws, and keeps the last measurement then */
  measure(): Promise<void>;
}

interface Measurement {
  /** server time minus local time, milliseconds */
  offsetMs: number;
  /** half of the round trip: the server read its clock somewhere inside */
  errorMs: number;
  /** local time */
  takenAt: number;
}

/** Two quartz clocks drift apart by up to 100 µs a second. */
const DRIFT_MS_PER_MS = 1e-4;

/**
 * Local time is the monotonic clock, so that a step of this machine's own date changes nothing. Of all measurements the
 * one with the least error counts, which grows with age by the drift; one that contradicts it (the server's date was
 * set, or this machine slept) replaces it at once.
 *
 * @param options.readServerTimeMs asks the server for its time
 * @param options.localMs a monotonic clock, milliseconds; only tests give their own
 */
export function createServerClock(options: {
  readServerTimeMs: () => Promise<number>;
  localMs?: () => number;
}): ServerClock {
  const localMs = options.localMs ?? (() => performance.now());
  let best: Measurement | undefined;
  const errorOf = (m: Measurement) => m.errorMs + (localMs() - m.takenAt) * DRIFT_MS_PER_MS;
  return {
    nowMs() {
      if (!best) throw new Error('the queue server has not told its time yet');
      return Math.floor(localMs() + best.offsetMs);
    },
    isMeasured: () => best !== undefined,
    errorMs: () => (best ? errorOf(best) : Infinity),
    async measure() {
      const askedAt = localMs();
      const serverMs = await options.readServerTimeMs();
      const takenAt = localMs();
      const errorMs = (takenAt - askedAt) / 2;
      const next = { offsetMs: serverMs - (askedAt + errorMs), errorMs, takenAt };
      if (!best || next.errorMs <= errorOf(best) || contradicts(next, best, errorOf(best))) best = next;
    },
  };
}

function contradicts(next: Measurement, best: Measurement, bestErrorMs: number): boolean {
  // 1 ms: servers may tell their time in whole milliseconds
  return Math.abs(next.offsetMs - best.offsetMs) > next.errorMs + bestErrorMs + 1;
}
