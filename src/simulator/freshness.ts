import { setTimeout as delay } from 'node:timers/promises';
import type { HistoryApi } from './history-api.ts';
import type { SimulatedRide } from './tally.ts';

/** How long acked rides take to become readable, seen from outside by watching one ride at a time. */
export interface FreshnessProbe {
  /** offers a ride that was acked just now; taken when the probe is free */
  offer(ride: SimulatedRide): void;
  /** milliseconds; undefined before the first sample */
  quantile(share: number): number | undefined;
  samples(): number;
  /** ends the watch that is under way */
  stop(): Promise<void>;
}

const POLL_MS = 10;
/** A ride that takes longer counts as this: the read-back at the end finds out whether it is lost. */
const GIVE_UP_MS = 10_000;

/** @param date the local date, YYYY-MM-DD, of all rides that will be offered */
export function freshnessProbe(history: HistoryApi, date: string): FreshnessProbe {
  const samplesMs: number[] = [];
  const stopping = new AbortController();
  let watch: Promise<void> | undefined;

  const untilReadable = async (ride: SimulatedRide): Promise<void> => {
    const ackedAt = performance.now();
    while (!stopping.signal.aborted) {
      const rides = await history.rides(ride.skierId, date).catch(() => []);
      const ageMs = performance.now() - ackedAt;
      if (ageMs > GIVE_UP_MS || rides.some(({ eventId }) => eventId === ride.eventId)) {
        samplesMs.push(ageMs);
        return;
      }
      await delay(POLL_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  return {
    offer(ride) {
      if (watch || stopping.signal.aborted) return;
      watch = untilReadable(ride).finally(() => {
        watch = undefined;
      });
    },
    quantile(share) {
      const sorted = samplesMs.toSorted((a, b) => a - b);
      return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    },
    samples: () => samplesMs.length,
    async stop() {
      stopping.abort();
      await watch;
    },
  };
}
