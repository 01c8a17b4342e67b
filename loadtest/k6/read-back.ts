import { check } from 'k6';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import type { Scan } from './scans.ts';
import type { Settings } from './settings.ts';

/** A ride of `GET /v1/skiers/{skierId}/rides`, as far as the scripts look at it. */
export type Ride = {
  eventId: string;
  resortId: number;
  liftId: number;
  scannedAt: string;
};

const PAUSE_MS = 50;

const readBackScans = new Counter('scans_read_back');
const lostScans = new Counter('scans_lost');
const freshness = new Trend('freshness', true);

/** For every script that reads back: something was read back, and none of it was lost or wrong. */
export const READ_BACK_THRESHOLDS = {
  scans_read_back: ['count>0'],
  scans_lost: ['count==0'],
  'checks{kind:read-back}': ['rate==1'],
};

/**
 * Waits until an acked scan is readable as exactly one ride with what was sent. Its wait is the `freshness` metric.
 *
 * Users share no memory in k6, so nobody else could know in the end what this one was acked: each reads back its own.
 *
 * @param ackedAt when the ack came, milliseconds since the epoch
 * @param phase part of the run, as a tag
 */
export async function readBack(settings: Settings, scan: Scan, ackedAt: number, phase: string): Promise<void> {
  const tags = { kind: 'read-back', phase };
  readBackScans.add(1, tags);
  let found: Ride[] = [];
  for (;;) {
    const rides = await ridesOf(settings, scan.skierId, 'read-back');
    found = rides.filter(({ eventId }) => eventId === scan.eventId);
    if (found.length > 0 || Date.now() - ackedAt > settings.lostAfterMs) break;
    await new Promise<void>((resolve) => void setTimeout(resolve, PAUSE_MS));
  }
  if (found.length === 0) lostScans.add(1, tags);
  else freshness.add(Date.now() - ackedAt, tags);
  check(found, { 'acked scan is readable': ({ length }) => length > 0 }, tags);
  check(found, { 'acked scan is one ride': ({ length }) => length <= 1 }, tags);
  check(found[0], { 'ride is as sent': (ride) => ride === undefined || isSame(ride, scan) }, tags);
}

/**
 * @param op tag of the request
 * @returns a skier's newest rides, at most 200; none when the answer was no 200
 */
export async function ridesOf(settings: Settings, skierId: number, op: string): Promise<Ride[]> {
  const url = `${settings.readUrl}/v1/skiers/${skierId}/rides?limit=200`;
  const response = await http.asyncRequest('GET', url, null, {
    headers: { Authorization: `Bearer ${settings.adminKey}` },
    tags: { name: 'GET rides', op },
    timeout: '10s',
  });
  if (!check(response, { 'rides: 200': ({ status }) => status === 200 })) return [];
  return (response.json() as { rides: Ride[] }).rides;
}

function isSame(ride: Ride, scan: Scan): boolean {
  return (
    ride.resortId === scan.resortId &&
    ride.liftId === scan.liftId &&
    Date.parse(ride.scannedAt) === Date.parse(scan.scannedAt)
  );
}
