import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from './delivery.ts';
import type { GateApi, ScanBody } from './gate-api.ts';
import type { SimulatedRide, Tally } from './tally.ts';

export interface PlayOptions {
  gate: GateApi;
  tally: Tally;
  /** in the order of time */
  deliveries: readonly Delivery<SimulatedRide>[];
  resortId: number;
  /** simulated milliseconds a real one */
  speed: number;
  /** ends the day early; what was sent is still answered */
  signal: AbortSignal;
  onAck: (ride: SimulatedRide) => void;
}

/** Requests under way at most: a gate network has many hands, but a stuck server must not fill our memory. */
const MAX_IN_FLIGHT = 64;
/** A gate tries this often before it gives up on a request; the last pauses are long ones. */
const MAX_ATTEMPTS = 8;
const MAX_PAUSE_MS = 5_000;
const TICK_MS = 5;

/** Plays the deliveries at their time, as fast as the replies allow. Resolves when every request has its answer. */
export async function play(o: PlayOptions): Promise<void> {
  const startedAt = performance.now();
  const inFlight = new Set<Promise<void>>();
  for (const delivery of o.deliveries) {
    while (!o.signal.aborted && (performance.now() - startedAt) * o.speed < delivery.atMs)
      await pause(TICK_MS, o.signal);
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    if (o.signal.aborted) break;
    const request = deliver(o, delivery.rides).finally(() => inFlight.delete(request));
    inFlight.add(request);
  }
  await Promise.all(inFlight);
}

/** One request of a gate with its retries: always the same scans with the same event ids. */
async function deliver(o: PlayOptions, rides: readonly SimulatedRide[]): Promise<void> {
  let left = rides;
  for (let attempt = 1; ; attempt += 1) {
    o.tally.noteSent(left);
    const answers = await o.gate.send(left.map((ride) => scanBody(ride, o.resortId)));
    const unconfirmed: SimulatedRide[] = [];
    let retryAfterMs = 0;
    for (const [at, ride] of left.entries()) {
      const answer = answers[at] ?? { outcome: 'unconfirmed', reason: 'no answer', retryAfterMs: 0 };
      o.tally.note(ride, answer);
      if (answer.outcome === 'acked') o.onAck(ride);
      if (answer.outcome !== 'unconfirmed') continue;
      unconfirmed.push(ride);
      retryAfterMs = Math.max(retryAfterMs, answer.retryAfterMs);
    }
    if (unconfirmed.length === 0 || attempt === MAX_ATTEMPTS || o.signal.aborted) return;
    left = unconfirmed;
    await pause(Math.max(retryAfterMs, Math.min(MAX_PAUSE_MS, 100 * 2 ** attempt)), o.signal);
  }
}

function scanBody(ride: SimulatedRide, resortId: number): ScanBody {
  const scannedAt = new Date(ride.scannedAtMs).toISOString();
  return { eventId: ride.eventId, resortId, liftId: ride.liftId, skierId: ride.skierId, scannedAt };
}

/** A pause that an abort ends, without complaint. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
