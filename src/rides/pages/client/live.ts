// Keeps an open page up to date: the server draws it again, and what changed takes the place of what was there. Without this
// script the page is whole, as of when it was asked for.

/** What an event says of a ride, as far as it is needed here. */
interface RideNews {
  liftName: string;
  date: string;
  season: string;
}

/** Rides that come together are shown together. */
const GATHER_MS = 150;
/** After an event, another process may not have seen the ride yet: then the page is asked for again. */
const AGAIN_MS = 1_000;
const MAX_AGAIN = 3;
/** A stream that was refused; one that broke comes back by itself. */
const RECONNECT_MS = 5_000;
/** Later than this, the page says that later rides may be missing, as the server does. */
const BEHIND_MS = 60_000;
/** From here on a time needs its date. */
const SAME_DAY_MS = 12 * 3_600_000;

const main = document.querySelector('main');
const news = document.getElementById('news');
const { locale } = document.documentElement.dataset;
const drawn = new Map(regions(document).map((region) => [region.dataset.region, region.innerHTML]));

function regions(of: Document): HTMLElement[] {
  return [...of.querySelectorAll<HTMLElement>('[data-region]')];
}

/** Asks for the page again. @returns whether anything on it is new; false, too, when it can't be had now */
async function drawAgain(): Promise<boolean> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (response?.redirected) location.assign(response.url); // not signed in any more
  if (!response?.ok) return false;
  const next = new DOMParser().parseFromString(await response.text(), 'text/html');
  const changed = regions(next).filter((region) => drawn.get(region.dataset.region) !== region.innerHTML);
  for (const region of changed) replace(region);
  return changed.some(({ dataset }) => dataset.region !== 'as-of');
}

function replace(next: HTMLElement): void {
  const name = next.dataset.region;
  const shown = document.querySelector<HTMLElement>(`[data-region="${name}"]`);
  if (!shown) return;
  drawn.set(name, next.innerHTML);
  const known = new Set(marks(shown).map(({ dataset }) => dataset.mark));
  const focused = shown.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : null;
  shown.replaceChildren(...next.childNodes);
  for (const mark of marks(shown)) mark.classList.toggle('is-new', !known.has(mark.dataset.mark));
  if (focused) shown.querySelector<HTMLElement>(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function marks(within: HTMLElement): (HTMLElement | SVGElement)[] {
  return [...within.querySelectorAll<HTMLElement | SVGElement>('[data-mark]')];
}

/** Rides that were told and are not shown yet. */
let waiting: RideNews[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
/** The last `asOf` that was told, and whether everything that was told before it is shown. */
let told: string | null = null;
let isShown = true;

function show(ride: RideNews): void {
  waiting.push(ride);
  isShown = false;
  timer ??= setTimeout(() => void showWaiting(), GATHER_MS);
}

async function showWaiting(): Promise<void> {
  const rides = waiting;
  waiting = [];
  const [last] = rides.slice(-1);
  if (last && news) {
    news.textContent =
      rides.length === 1 ? `New ride: ${last.liftName}` : `${rides.length} new rides, the last: ${last.liftName}`;
  }
  const isDrawn = await drawUntilNew();
  isShown = isDrawn && waiting.length === 0;
  timer = waiting.length > 0 ? setTimeout(() => void showWaiting(), GATHER_MS) : undefined;
  showAsOf();
}

/** @returns false when the page has shown nothing new for all the time that is worth waiting */
async function drawUntilNew(): Promise<boolean> {
  for (let again = 0; again <= MAX_AGAIN; again += 1) {
    if (again > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    if (await drawAgain()) return true;
  }
  return false;
}

/** Follows the skier's rides. @returns what ends it */
function follow(url: string): () => void {
  let stream: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    stream = new EventSource(url);
    stream.addEventListener('hello', ({ data }: MessageEvent<string>) => {
      setLive(true);
      void drawAgain().then(() => hearAsOf(data)); // with what was stored before the stream began
    });
    stream.addEventListener('reset', () => void drawAgain());
    stream.addEventListener('error', () => {
      setLive(false);
      if (stream.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(open, RECONNECT_MS);
      void drawAgain(); // tells, too, whether the visitor is still signed in
    });
    stream.addEventListener('ride', ({ data }: MessageEvent<string>) => {
      const ride = JSON.parse(data) as RideNews;
      const shows = main?.dataset.shows;
      if (shows === ride.date || shows === `season ${ride.season}`) show(ride);
    });
    stream.addEventListener('asOf', ({ data }: MessageEvent<string>) => hearAsOf(data));
  };
  open();
  return () => {
    clearTimeout(retry);
    stream.close();
    setLive(false);
  };
}

/** Looks again and again, while somebody can see it. @returns what ends it */
function lookAgain(everyS: number): () => void {
  setLive(true);
  const ticker = setInterval(() => {
    if (document.visibilityState === 'visible') void drawAgain();
  }, everyS * 1_000);
  return () => {
    clearInterval(ticker);
    setLive(false);
  };
}

function setLive(isLive: boolean): void {
  document.body.classList.toggle('is-live', isLive);
}

/** @param data of an event: `{"asOf": ...}`, RFC 3339 or null */
function hearAsOf(data: string): void {
  const { asOf } = JSON.parse(data) as { asOf: string | null };
  if (asOf !== null && (told === null || Date.parse(asOf) > Date.parse(told))) told = asOf;
  showAsOf();
}

/** Says no more than what is true: a later time only once every ride that was told before it is on the page. */
function showAsOf(): void {
  const shown = document.querySelector<HTMLTimeElement>('.as-of time');
  if (!shown || told === null || !isShown) return;
  const at = Date.parse(told);
  if (at <= Date.parse(shown.dateTime)) return;
  const isOld = Date.now() - at > SAME_DAY_MS;
  const date = isOld ? ({ weekday: 'short', day: 'numeric', month: 'short' } as const) : {};
  const { zone } = shown.dataset;
  const format = new Intl.DateTimeFormat(locale, {
    calendar: 'gregory',
    ...(zone && { timeZone: zone }),
    ...date,
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  });
  const text = format.format(at);
  if (shown.textContent !== text) shown.textContent = text;
  shown.dateTime = told;
  tellBehind();
}

function tellBehind(): void {
  const shown = document.querySelector<HTMLTimeElement>('.as-of time');
  const hint = document.querySelector<HTMLElement>('.as-of .behind');
  if (shown && hint) hint.hidden = Date.now() - Date.parse(shown.dateTime) <= BEHIND_MS;
}

/** Whoever wants the page to hold still may have it so. */
function addSwitch(start: () => () => void): void {
  let stop = start();
  const place = document.querySelector('[data-switch]');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'live-switch';
  button.textContent = 'Live';
  button.setAttribute('aria-pressed', 'true');
  button.addEventListener('click', () => {
    const isOn = button.getAttribute('aria-pressed') === 'true';
    button.setAttribute('aria-pressed', String(!isOn));
    if (isOn) stop();
    else stop = start();
  });
  place?.replaceChildren(button);
}

/** A page that could not be made: as soon as it can, it comes by itself. */
function waitForPage(everyS: number): void {
  setInterval(() => void reloadIfThere(), everyS * 1_000);
}

async function reloadIfThere(): Promise<void> {
  const response = await fetch(location.href).catch(() => undefined);
  if (response?.ok) location.reload();
}

const { live, lookAgainS } = main?.dataset ?? {};
const isAway = document.querySelector('[data-away]') !== null;
if (isAway) waitForPage(Number(lookAgainS ?? RECONNECT_MS / 1_000));
else if (live !== undefined) addSwitch(() => follow(live));
else if (lookAgainS !== undefined) addSwitch(() => lookAgain(Number(lookAgainS)));
setInterval(tellBehind, 10_000);
