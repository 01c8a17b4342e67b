import { randomBytes } from 'node:crypto';
import { type Random, seededRandom } from '../../src/simulator/random.ts';
import type { LoadRequest } from '../client/closed-loop.ts';

export interface BenchScan {
  eventId: string;
  resortId: number;
  liftId: number;
  skierId: number;
  scannedAt: string;
}

/** As many skiers as the course has. */
const SKIERS = 100_000;
const RESORTS = 10;
const LIFTS = 40;

/**
 * @param skiers that ride
 * @returns endless scans of the last day, no two the same, also not over several runs
 */
export function* benchScans(skiers: number = SKIERS): Generator<BenchScan, never> {
  const run = randomBytes(4).toString('hex');
  const random = seededRandom(run);
  const dayStart = Date.now() - 86_400_000;
  for (let n = 0; ; n += 1) yield benchScan(run, n, random, { dayStart, skiers });
}

function benchScan(run: string, n: number, random: Random, o: { dayStart: number; skiers: number }): BenchScan {
  return {
    eventId: `${run}-0000-8000-8000-${n.toString(16).padStart(12, '0')}`,
    resortId: random.between(1, RESORTS),
    liftId: random.between(1, LIFTS),
    skierId: random.between(1, o.skiers),
    scannedAt: new Date(o.dayStart + random.between(0, 86_000_000)).toISOString(),
  };
}

export interface ScanRequest extends LoadRequest {
  scans: BenchScan[];
}

/**
 * @param scansPerPost 1: single posts; more: batches
 * @param count scans in all
 */
export function* scanRequests(o: { deviceKey: string; scansPerPost: number; count: number }): Generator<ScanRequest> {
  const headers = { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' };
  const source = benchScans();
  for (let left = o.count; left > 0; left -= o.scansPerPost) {
    const scans = Array.from({ length: Math.min(left, o.scansPerPost) }, () => source.next().value);
    const isSingle = o.scansPerPost === 1;
    const path = isSingle ? '/v1/scans' : '/v1/scans/batch';
    yield { method: 'POST', path, headers, body: JSON.stringify(isSingle ? scans[0] : { scans }), scans };
  }
}
