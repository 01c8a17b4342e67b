import { Problem } from '../domain/problem.ts';
import { deriveEventId, MAX_AHEAD_MS, type Scan } from '../domain/scan.ts';
import { MAX_SEASON_DAYS } from '../domain/calendar.ts';
import type { DirectorySnapshot, Resort } from '../directory/snapshot.ts';
import type { PostedScan } from './posted-scan.ts';

/** How many seasons back a late scan may lie, besides the current one. */
const SEASONS_BACK = 2;
/** No scan before this can lie in such a season: it needs no calendar (whose memory is for days that matter). */
const LONGEST_BACK_MS = (SEASONS_BACK + 1) * MAX_SEASON_DAYS * 86_400_000;

/**
 * Adds what only the directory knows: season, day, date and hour at the resort, the lift's vertical, and the device.
 *
 * @param deviceId from the credential, never from the body
 * @param nowMs the edge's clock, milliseconds since the epoch
 * @returns the scan, or `unknown_resort`, `unknown_lift`, `too_far_ahead` or `too_old`
 */
export function completeScan(
  posted: PostedScan,
  deviceId: number,
  snapshot: DirectorySnapshot,
  nowMs: number,
): Scan | Problem {
  const { resortId, liftId, skierId } = posted;
  const resort = snapshot.resorts.get(resortId);
  if (!resort) return new Problem('unknown_resort', `no resort ${resortId}`);
  const lift = resort.lifts.get(liftId);
  if (!lift) return new Problem('unknown_lift', `resort ${resortId} has no lift ${liftId}`);
  const scannedAt = Date.parse(posted.scannedAt);
  if (scannedAt > nowMs + MAX_AHEAD_MS) {
    return new Problem('too_far_ahead', `scannedAt is more than ${MAX_AHEAD_MS / 60_000} minutes ahead`);
  }
  if (scannedAt < nowMs - LONGEST_BACK_MS) return tooOld();
  const { season, day, date, hour } = resort.calendar.locate(scannedAt);
  if (season < currentSeason(resort, nowMs) - SEASONS_BACK) return tooOld();
  const eventId = posted.eventId?.toLowerCase() ?? deriveEventId(resortId, liftId, skierId, scannedAt);
  const { verticalM } = lift;
  return { eventId, skierId, resortId, liftId, scannedAt, season, day, date, hour, verticalM, deviceId };
}

function currentSeason(resort: Resort, nowMs: number): number {
  return resort.calendar.locate(nowMs).season;
}

function tooOld(): Problem {
  return new Problem('too_old', `scannedAt is more than ${SEASONS_BACK} seasons back`);
}
