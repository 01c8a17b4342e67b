// Up to when the page is complete: as its server said, and later once that was told and nothing is missing.

import { drawAgain, isStale } from './drawing.ts';

/** Later than this, the page says that later rides may be missing, as the server does. */
const BEHIND_MS = 60_000;
/** From here on a time needs its date. */
const SAME_DAY_MS = 12 * 3_600_000;
/** After a page that did not come, or does not know enough, the next one is asked for; then half as often each time. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

const { locale } = document.documentElement.dataset;
/** The latest time that was told, milliseconds since the epoch; 0 when none was. */
let told = 0;
/** What a page has to say itself before a later time is shown; undefined: nothing. */
let needed: number | undefined;
let areRidesMissing = false;
/** Tells whether a page was asked for since the latest hold. */
let holds = 0;
let pauseMs = FIRST_PAUSE_MS;
let pause: ReturnType<typeof setTimeout> | undefined;

/** @param data of an event: `{"asOf": ...}`, RFC 3339 or null */
export function hearAsOf(data: string): void {
  told = Math.max(told, asOfEvent(data));
  showAsOf();
}

/** @param areMissing whether rides were told that are not on the page yet */
export function setRidesMissing(areMissing: boolean): void {
  areRidesMissing = areMissing;
  showAsOf();
}

/**
 * From now on rides may be missing of which nobody tells. No time is shown but the page's own, until a page that is asked for from
 * now on, and is up to date, says this one or a later one; it is asked for until it does.
 *
 * @param data of the event that says so, as for {@link hearAsOf}; without one, the latest time that was told counts
 */
export function holdAsOf(data?: string): void {
  const asOf = data === undefined ? told : asOfEvent(data);
  told = Math.max(told, asOf);
  needed = Math.max(needed ?? 0, asOf);
  holds += 1;
  pauseMs = FIRST_PAUSE_MS;
  void tryToRelease();
}

/** @returns milliseconds since the epoch; 0 when it is not known */
function asOfEvent(data: string): number {
  const { asOf } = JSON.parse(data) as { asOf: string | null };
  return asOf === null ? 0 : Date.parse(asOf);
}

/** Asks for no more pages. What is held stays held. */
export function stopAsking(): void {
  holds += 1;
  clearTimeout(pause);
}

async function tryToRelease(): Promise<void> {
  clearTimeout(pause);
  const hold = holds;
  const page = await drawAgain();
  if (hold !== holds || needed === undefined) return;
  if (page?.asOf !== undefined && !page.isOld && page.asOf >= needed) {
    needed = undefined;
    showAsOf();
    return;
  }
  pause = setTimeout(() => void tryToRelease(), pauseMs);
  pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
}

/** Says no more than what is true. */
function showAsOf(): void {
  const shown = document.querySelector<HTMLTimeElement>('.as-of time');
  if (!shown || needed !== undefined || areRidesMissing || isStale(document)) return;
  if (told <= Date.parse(shown.dateTime)) return;
  const text = formatOf(told, shown.dataset.zone).format(told);
  if (shown.textContent !== text) shown.textContent = text;
  shown.dateTime = new Date(told).toISOString();
  tellBehind();
}

function formatOf(at: number, zone: string | undefined): Intl.DateTimeFormat {
  const isOld = Date.now() - at > SAME_DAY_MS;
  const date = isOld ? ({ weekday: 'short', day: 'numeric', month: 'short' } as const) : {};
  return new Intl.DateTimeFormat(locale, {
    calendar: 'gregory',
    ...(zone && { timeZone: zone }),
    ...date,
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  });
}

function tellBehind(): void {
  const shown = document.querySelector<HTMLTimeElement>('.as-of time');
  const hint = document.querySelector<HTMLElement>('.as-of .behind');
  if (shown && hint) hint.hidden = Date.now() - Date.parse(shown.dateTime) <= BEHIND_MS;
}

setInterval(tellBehind, 10_000);
