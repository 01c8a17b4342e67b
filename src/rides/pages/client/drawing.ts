// Asks for the page again; what changed takes the place of what was there.

/** A page that came, as far as it tells of itself. */
export interface Drawn {
  /** whether anything but the time that it is of is new */
  isNew: boolean;
  /** its server could not ask the database, or knows less than the one before */
  isOld: boolean;
  /** up to when it is complete, milliseconds since the epoch; undefined when that is not known */
  asOf: number | undefined;
}

/** Others wait meanwhile, so it has to end. */
const PATIENCE_MS = 15_000;
/** What somebody uses stays as it is until they leave it. */
const CONTROLS = 'input, select, textarea, button';

export const main = document.querySelector('main');
const drawn = new Map(regions(document).map((region) => [region.dataset.region, region.innerHTML]));
/** Up to when what is shown is complete, as its own page said. */
let shownAsOf = asOfPage(document);
let underWay: Promise<unknown> = Promise.resolve();
let next: Promise<Drawn | undefined> | undefined;

/**
 * Asks for the page again, one at a time: no answer takes the place of a later one. Whoever asks while one is under way gets the
 * one after it, for what they have heard of may be too late for the first.
 *
 * @returns undefined when it can't be had now
 */
export function drawAgain(): Promise<Drawn | undefined> {
  next ??= underWay.then(() => {
    next = undefined;
    const drawing = draw();
    underWay = drawing;
    return drawing;
  });
  return next;
}

async function draw(): Promise<Drawn | undefined> {
  const text = await readPage().catch(() => undefined);
  return text === undefined ? undefined : show(new DOMParser().parseFromString(text, 'text/html'));
}

async function readPage(): Promise<string | undefined> {
  const response = await fetch(location.href, {
    headers: { accept: 'text/html' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (response.ok && !response.redirected) return response.text();
  if (response.redirected) location.assign(response.url); // not signed in any more
  return undefined;
}

/** Another process may know less than the one before: of an older page nothing is shown but what it says of itself. */
function show(page: Document): Drawn {
  const asOf = asOfPage(page);
  const isOlder = asOf !== undefined && shownAsOf !== undefined && asOf < shownAsOf;
  const isOld = isOlder || isStale(page); // before its regions have moved to the page that is shown
  let isNew = false;
  for (const region of regions(page)) {
    const isTime = region.dataset.region === 'as-of';
    if ((isOlder && !isTime) || drawn.get(region.dataset.region) === region.innerHTML) continue;
    if (replace(region) && !isTime) isNew = true;
  }
  if (!isOlder) {
    shownAsOf = asOf ?? shownAsOf;
    showTitle(page);
  }
  return { isNew, isOld, asOf };
}

function regions(of: Document): HTMLElement[] {
  return [...of.querySelectorAll<HTMLElement>('[data-region]')];
}

/** @returns whether a page says that it is not up to date */
export function isStale(page: Document): boolean {
  return page.querySelector('.as-of .stale') !== null;
}

function asOfPage(page: Document): number | undefined {
  const time = page.querySelector<HTMLTimeElement>('.as-of time');
  return time ? Date.parse(time.dateTime) : undefined;
}

/** A new day or season may have begun. */
function showTitle(page: Document): void {
  document.title = page.title;
  const shows = page.querySelector('main')?.dataset.shows;
  if (main && shows !== undefined) main.dataset.shows = shows;
}

/** @returns whether it was done; if not, it is as new the next time */
function replace(region: HTMLElement): boolean {
  const name = region.dataset.region;
  const shown = document.querySelector<HTMLElement>(`[data-region="${name}"]`);
  const focused = shown?.contains(document.activeElement) ? document.activeElement : null;
  if (!shown || focused?.matches(CONTROLS)) return false;
  drawn.set(name, region.innerHTML);
  const known = new Set(marks(shown).map(({ dataset }) => dataset.mark));
  shown.replaceChildren(...region.childNodes);
  for (const mark of marks(shown)) mark.classList.toggle('is-new', !known.has(mark.dataset.mark));
  if (focused) focusAgain(shown, focused);
  return true;
}

/** On the link to the same place, or else on the one that has taken its place. */
function focusAgain(shown: HTMLElement, focused: Element): void {
  const by = (name: string) => {
    const value = focused.getAttribute(name);
    return value === null ? null : shown.querySelector<HTMLElement>(`[${name}="${CSS.escape(value)}"]`);
  };
  (by('href') ?? by('rel'))?.focus({ preventScroll: true });
}

function marks(within: HTMLElement): (HTMLElement | SVGElement)[] {
  return [...within.querySelectorAll<HTMLElement | SVGElement>('[data-mark]')];
}
