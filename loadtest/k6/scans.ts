import type { Lift } from './resorts.ts';

/** The body of `POST /v1/scans`. */
export interface Scan {
  eventId: string;
  resortId: number;
  liftId: number;
  skierId: number;
  /** RFC 3339 */
  scannedAt: string;
}

/** Skiers enough that two scans of one skier are rare, and every shard has thousands. */
const SKIERS = 1_000_000;

/**
 * @param lifts to choose from, at least one
 * @param scannedAt milliseconds since the epoch
 * @param skierId 1 to 1,000,000 at random unless given
 */
export function newScan(lifts: readonly Lift[], scannedAt: number, skierId: number = randomSkier()): Scan {
  const lift = lifts[Math.floor(Math.random() * lifts.length)];
  if (lift === undefined) throw new Error('there is no lift to scan at');
  return { eventId: uuidV7(), ...lift, skierId, scannedAt: new Date(scannedAt).toISOString() };
}

export function randomSkier(): number {
  return 1 + Math.floor(Math.random() * SKIERS);
}

/** RFC 9562 version 7: 48 bits of milliseconds, the rest by chance. k6 seeds every user's Math.random differently. */
function uuidV7(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const variant = '89ab'.charAt(Math.floor(Math.random() * 4));
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomHex(3)}-${variant}${randomHex(3)}-${randomHex(6)}${randomHex(6)}`;
}

/** @param digits 1 to 8 */
function randomHex(digits: number): string {
  return Math.floor(Math.random() * 16 ** digits)
    .toString(16)
    .padStart(digits, '0');
}
