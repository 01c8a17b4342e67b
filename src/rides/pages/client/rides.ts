// Shows rides that were told, and tells them to those who can't see it.

import { setRidesMissing, holdAsOf } from './as-of.ts';
import { drawAgain, isStale, main } from './drawing.ts';

/** What an event says of a ride, as far as it is needed here. */
export interface RideNews {
  eventId: string;
  liftName: string;
  /** RFC 3339 */
  scannedAt: string;
  date: string;
  season: string;
}

/** Rides that come together are shown together. */
const GATHER_MS = 150;
/** After an event, another process may not have seen the ride yet: then the page is asked for again. */
const AGAIN_MS = 1_000;
const MAX_AGAIN = 3;

const news = document.getElementById('news');
/** Rides that were told and are not shown yet. */
let waiting: RideNews[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a ride soon, if the page is of its day or season. */
export function hearRide(ride: RideNews): void {
  if (!isOfPage(ride)) return;
  waiting.push(ride);
  setRidesMissing(true);
  timer ??= setTimeout(() => void showWaiting(), GATHER_MS);
}

/** A page whose address names no season shows the newest one with rides: this may be the first of the next. */
function isOfPage({ date, season }: RideNews): boolean {
  const { shows } = main?.dataset ?? {};
  if (shows === date || shows === `season ${season}`) return true;
  const shown = /^season (\d+)$/.exec(shows ?? '')?.[1];
  return shown !== undefined && Number(season) > Number(shown) && !new URLSearchParams(location.search).has('season');
}

async function showWaiting(): Promise<void> {
  const rides = waiting;
  waiting = [];
  const areShown = await drawUntilShown(rides);
  tell(rides);
  if (!areShown) holdAsOf(); // from here on the page's own word counts
  setRidesMissing(waiting.length > 0);
  timer = waiting.length > 0 ? setTimeout(() => void showWaiting(), GATHER_MS) : undefined;
}

/** @returns false when the page has shown nothing new for all the time that is worth waiting */
async function drawUntilShown(rides: RideNews[]): Promise<boolean> {
  for (let again = 0; again <= MAX_AGAIN; again += 1) {
    if (!isStale(document) && rides.every((ride) => markOf(ride))) return true;
    if (again > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    const page = await drawAgain();
    if (page?.isNew && !page.isOld) return true;
  }
  return false;
}

function markOf({ eventId }: RideNews): Element | null {
  return document.querySelector(`[data-mark="${CSS.escape(eventId)}"]:has(time)`);
}

/** With its time, for a text that is the same as the last one is not read out. */
function tell(rides: RideNews[]): void {
  const last = rides.at(-1);
  if (!last || !news) return;
  const text = [last.liftName, timeOf(last)].filter(Boolean).join(', ');
  news.textContent = rides.length === 1 ? `New ride: ${text}` : `${rides.length} new rides, the last: ${text}`;
}

/** As the page writes it; where it does not, in the time zone of the page. */
function timeOf(ride: RideNews): string | undefined {
  const written = markOf(ride)?.querySelector('time')?.textContent;
  const timeZone = document.querySelector<HTMLElement>('.as-of time')?.dataset.zone;
  if (written || !timeZone) return written;
  const { locale } = document.documentElement.dataset;
  const format = new Intl.DateTimeFormat(locale, { calendar: 'gregory', timeZone, timeStyle: 'short' });
  return format.format(Date.parse(ride.scannedAt));
}
