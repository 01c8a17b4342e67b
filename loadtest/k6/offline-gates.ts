// Gates that were cut off hand in what they kept, in batches, four scans for each live one; RATE is that of live scans.
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { gateOf, postBatch } from './gate.ts';
import { prepare } from './prepare.ts';
import { READ_BACK_THRESHOLDS, readBack } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { newScan } from './scans.ts';
import { sendScan } from './send-scan.ts';
import { gracefulStop, readSettings, usersFor } from './settings.ts';

const settings = readSettings({ rate: 100, duration: '1m' });
const BATCH = 500;
const KEPT_PER_LIVE_SCAN = 4;
const OFFLINE_MS = 8 * 3_600_000;
/** per 10 s, since a rate is a whole number */
const batchesPer10s = Math.max(1, Math.round((settings.rate * KEPT_PER_LIVE_SCAN * 10) / BATCH));

export const options: Options = {
  scenarios: {
    live: {
      executor: 'constant-arrival-rate',
      exec: 'live',
      rate: settings.rate,
      duration: settings.duration,
      gracefulStop: gracefulStop(settings),
      ...usersFor(settings.rate),
    },
    offline: {
      executor: 'constant-arrival-rate',
      exec: 'catchUp',
      rate: batchesPer10s,
      timeUnit: '10s',
      duration: settings.duration,
      gracefulStop: gracefulStop(settings),
      ...usersFor(batchesPer10s / 10),
    },
  },
  thresholds: {
    // a gate that catches up must not slow the others
    'http_req_duration{op:ack}': ['p(99)<100'],
    'http_req_duration{op:batch}': ['p(99)<1000'],
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    'freshness{phase:live}': ['p(95)<3000'],
    'freshness{phase:offline}': ['p(95)<10000'],
    dropped_iterations: [`rate<${settings.rate / 1000}`],
    ...READ_BACK_THRESHOLDS,
  },
};

export function setup(): Promise<Lift[]> {
  return prepare(settings);
}

export function live(lifts: Lift[]): Promise<void> {
  const { iterationInTest } = exec.scenario;
  return sendScan({ settings, lifts, perSecond: settings.rate, iteration: iterationInTest, phase: 'live' });
}

/** One batch of one lift: old scans in order, the last one just before the connection came back. Its ends are read back. */
export async function catchUp(lifts: Lift[]): Promise<void> {
  const { iterationInTest } = exec.scenario;
  const lift = lifts[iterationInTest % lifts.length];
  if (lift === undefined) throw new Error('there is no lift to scan at');
  const now = Date.now();
  const scans = Array.from({ length: BATCH }, (_, n) => newScan([lift], now - (OFFLINE_MS * (BATCH - n)) / BATCH));
  const acked = await postBatch(
    gateOf(settings, iterationInTest),
    scans,
    iterationInTest % 2 === 0 ? 'ndjson' : 'json',
  );
  const ackedAt = Date.now();
  const ends = acked.slice(0, 1).concat(acked.slice(-1));
  await Promise.all(ends.map((scan) => readBack(settings, scan, ackedAt, 'offline')));
}
