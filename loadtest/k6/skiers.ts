import { fail } from 'k6';
import { setTimeout } from 'k6/timers';
import { type Gate, postBatch } from './gate.ts';
import { type Ride, ridesOf } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { newScan, randomSkier, type Scan } from './scans.ts';
import type { Settings } from './settings.ts';

/** A skier whose history was read back whole before the run. */
export interface KnownSkier {
  skierId: number;
  eventIds: string[];
  /** a local day with rides, YYYY-MM-DD, and the resort of one of them */
  date: string;
  resortId: number;
}

interface Read {
  name: string;
  op: 'skier-read' | 'resort-read';
  /** of 100 reads */
  share: number;
  path: (skier: KnownSkier) => string;
  /** whether the answer holds what was acked before the run; others may have added to it */
  isComplete: (body: unknown, skier: KnownSkier) => boolean;
}

const SKIERS = 200;
const RIDES = 5;
const BETWEEN_RIDES_MS = 12 * 60_000;
const READABLE_WITHIN_MS = 60_000;

const READS: Read[] = [
  {
    name: 'GET rides',
    op: 'skier-read',
    share: 50,
    path: ({ skierId }) => `/v1/skiers/${skierId}/rides?limit=200`,
    isComplete: (body, { eventIds }) => {
      const found = new Set((body as { rides: Ride[] }).rides.map(({ eventId }) => eventId));
      return eventIds.every((eventId) => found.has(eventId));
    },
  },
  {
    name: 'GET days',
    op: 'skier-read',
    share: 20,
    path: ({ skierId }) => `/v1/skiers/${skierId}/days`,
    isComplete: (body, { eventIds }) => sumOfRides((body as { days: Counted[] }).days) >= eventIds.length,
  },
  {
    name: 'GET day',
    op: 'skier-read',
    share: 10,
    path: ({ skierId, date }) => `/v1/skiers/${skierId}/days/${date}`,
    isComplete: (body, skier) =>
      (body as { rides: Ride[] }).rides.some(({ eventId }) => skier.eventIds.includes(eventId)),
  },
  {
    name: 'GET seasons',
    op: 'skier-read',
    share: 10,
    path: ({ skierId }) => `/v1/skiers/${skierId}/seasons`,
    isComplete: (body, { eventIds }) => sumOfRides((body as { seasons: Counted[] }).seasons) >= eventIds.length,
  },
  {
    name: 'GET resort day',
    op: 'resort-read',
    share: 10,
    path: ({ resortId, date }) => `/v1/resorts/${resortId}/days/${date}`,
    isComplete: (body) => sumOfRides([body as Counted]) > 0,
  },
];

interface Counted {
  rides: number;
}

function sumOfRides(of: readonly Counted[]): number {
  return of.reduce((sum, { rides }) => sum + rides, 0);
}

/** @returns one kind of read, by the shares */
export function pickRead(): Read {
  let rest = Math.random() * 100;
  for (const read of READS) {
    rest -= read.share;
    if (rest < 0) return read;
  }
  return READS[0] ?? fail('there is nothing to read');
}

/**
 * For `setup`: stores 200 skiers with five rides each and waits until all of them can be read.
 *
 * @throws Error when a scan is not acked, or not readable within a minute
 */
export async function prepareSkiers(settings: Settings, gate: Gate, lifts: readonly Lift[]): Promise<KnownSkier[]> {
  const scans: Scan[] = [];
  for (let n = 0; n < SKIERS; n += 1) {
    const skierId = randomSkier();
    for (let ride = 1; ride <= RIDES; ride += 1) {
      scans.push(newScan(lifts, Date.now() - ride * BETWEEN_RIDES_MS, skierId));
    }
  }
  const acked = await postBatch(gate, scans, 'json');
  if (acked.length < scans.length) throw new Error(`${acked.length} of ${scans.length} scans were acked in setup`);
  const deadline = Date.now() + READABLE_WITHIN_MS;
  const skiers: KnownSkier[] = [];
  for (let at = 0; at < scans.length; at += RIDES) {
    skiers.push(await waitForHistory(settings, scans.slice(at, at + RIDES), deadline));
  }
  return skiers;
}

async function waitForHistory(settings: Settings, scans: readonly Scan[], deadline: number): Promise<KnownSkier> {
  const skierId = scans[0]?.skierId ?? fail('a skier without scans');
  const eventIds = scans.map(({ eventId }) => eventId);
  for (;;) {
    const rides = (await ridesOf(settings, skierId, 'setup')) as (Ride & { date: string })[];
    const own = rides.filter(({ eventId }) => eventIds.includes(eventId));
    const [newest] = own;
    if (newest && own.length === scans.length) {
      return { skierId, eventIds, date: newest.date, resortId: newest.resortId };
    }
    if (Date.now() > deadline)
      throw new Error(`skier ${skierId}: ${own.length} of ${scans.length} acked rides are readable`);
    await new Promise<void>((resolve) => void setTimeout(resolve, 100));
  }
}
