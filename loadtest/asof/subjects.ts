import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { ResortCalendar } from '../../src/domain/calendar.ts';

const calendars = new Map(sampleResorts().map((resort) => [resort.resortId, new ResortCalendar(resort)]));

export function skierSubject(skierId: number): string {
  return `skier ${skierId}`;
}

/** @param at milliseconds since the epoch; @returns the resort's local day then, `resort 3 on 2025-12-24` */
export function resortDaySubject(resortId: number, at: number): string {
  const calendar = calendars.get(resortId);
  if (!calendar) throw new RangeError(`there is no resort ${resortId}`);
  return `resort ${resortId} on ${calendar.locate(at).date}`;
}

/** Whose answers have to hold a scan. */
export function subjectsOf(scan: { skierId: number; resortId: number; scannedAt: string }): string[] {
  return [skierSubject(scan.skierId), resortDaySubject(scan.resortId, Date.parse(scan.scannedAt))];
}
