/** Numbers, dates and units as one visitor reads them. Dates are local days, YYYY-MM-DD; instants are milliseconds. */
export interface Visitor {
  /** BCP 47: of numbers and dates */
  locale: string;
  /** of the text, which is English: the visitor's own English, if it is one */
  textLang: string;
  number: (value: number) => string;
  /** a height with its unit: metres, and feet in the United States; whole */
  height: (metres: number) => string;
  /** in the visitor's unit, for a scale */
  heightUnits: (metres: number) => number;
  /** a height that is in the visitor's unit already */
  heightText: (units: number) => string;
  /** `Thursday, 26 November 2026` */
  longDate: (date: string) => string;
  /** `Thu, 26 Nov` */
  shortDate: (date: string) => string;
  /** `November 2026` */
  month: (date: string) => string;
  /** `14:32` */
  time: (instantMs: number, timeZone: string) => string;
  /** a local time of day, HH:MM */
  timeOfDay: (time: string) => string;
  /** a full hour: `14:00`, or `2 PM` */
  fullHour: (instantMs: number, timeZone: string) => string;
  /** `14`, or `2` where days have twice twelve hours: for a scale */
  hour: (instantMs: number, timeZone: string) => string;
  /** `14:32 CET` */
  zonedTime: (instantMs: number, timeZone: string) => string;
  /** from the first day of the visitor's week on; `iso` is 1 for Monday to 7 for Sunday */
  weekdays: readonly { iso: number; short: string; long: string }[];
}

const DEFAULT_LOCALE = 'en-GB';
const FEET_PER_METRE = 1 / 0.3048;
/** Whatever is asked for: a process keeps this many, for making one takes milliseconds. */
const MAX_KEPT = 64;
const MAX_HEADER = 500;
const MAX_TAGS = 12;
/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** @returns a function from an `Accept-Language` header (RFC 9110) to the visitor who sent it */
export function visitors(): (acceptLanguage: string | undefined) => Visitor {
  const kept = new Map<string, Visitor>();
  return (acceptLanguage) => {
    const locale = preferredLocale(acceptLanguage);
    const known = kept.get(locale);
    if (known) return known;
    if (kept.size >= MAX_KEPT) kept.clear();
    const made = visitorOf(locale);
    kept.set(locale, made);
    return made;
  };
}

/** @returns the best of the header's languages that dates and numbers can be written in, en-GB when there is none */
export function preferredLocale(acceptLanguage: string | undefined): string {
  const asked = (acceptLanguage ?? '')
    .slice(0, MAX_HEADER)
    .split(',', MAX_TAGS)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';');
      const quality = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find((q) => q !== undefined);
      return { tag: tag.trim(), quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  for (const { tag } of asked) {
    const locale = supported(tag);
    if (locale !== undefined) return locale;
  }
  return DEFAULT_LOCALE;
}

/** Without extensions: which calendar or digits to use is not the header's to say. */
function supported(tag: string): string | undefined {
  if (!/^[a-z]{2,3}(-\w{1,8})*$/i.test(tag)) return undefined;
  try {
    const { baseName } = new Intl.Locale(tag);
    if (baseName === 'en') return DEFAULT_LOCALE;
    return Intl.DateTimeFormat.supportedLocalesOf(baseName)[0];
  } catch {
    return undefined; // a tag that is none
  }
}

function visitorOf(locale: string): Visitor {
  const { language, region } = new Intl.Locale(locale);
  const isInFeet = region === 'US';
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const unit = isInFeet ? 'foot' : 'meter';
  const height = new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: 0 });
  const heightUnits = (metres: number) => (isInFeet ? metres * FEET_PER_METRE : metres);
  return {
    locale,
    textLang: language === 'en' ? locale : 'en',
    number: (value) => number.format(value),
    height: (metres) => height.format(heightUnits(metres)),
    heightUnits,
    heightText: (units) => height.format(units),
    ...dateFormats(locale),
    ...timeFormats(locale),
    weekdays: weekdaysOf(locale),
  };
}

/** The days of the resorts are the Gregorian calendar's, whichever one the visitor's country has besides. */
const GREGORIAN = { calendar: 'gregory' } as const;

function dateFormats(locale: string): Pick<Visitor, 'longDate' | 'shortDate' | 'month'> {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat(locale, { ...GREGORIAN, timeZone: 'UTC', ...options });
    return (date: string) => made.format(Date.parse(date));
  };
  return {
    longDate: format({ dateStyle: 'full' }),
    shortDate: format({ weekday: 'short', day: 'numeric', month: 'short' }),
    month: format({ month: 'long', year: 'numeric' }),
  };
}

/** One format for each time zone that is asked for: those of the resorts. */
function timeFormats(locale: string): Pick<Visitor, 'time' | 'timeOfDay' | 'fullHour' | 'hour' | 'zonedTime'> {
  const formatter = (options: Intl.DateTimeFormatOptions) => {
    const byZone = new Map<string, Intl.DateTimeFormat>();
    return (timeZone: string) => {
      const format = byZone.get(timeZone) ?? new Intl.DateTimeFormat(locale, { ...GREGORIAN, timeZone, ...options });
      byZone.set(timeZone, format);
      return format;
    };
  };
  const time = formatter({ timeStyle: 'short' });
  const hour = formatter({ hour: 'numeric' });
  const zonedTime = formatter({ hour: 'numeric', minute: '2-digit', timeZoneName: 'short' });
  return {
    time: (instantMs, timeZone) => time(timeZone).format(instantMs),
    timeOfDay: (text) => time('UTC').format(Date.parse(`2024-01-01T${text}Z`)),
    fullHour: (instantMs, timeZone) => {
      const { hour12 } = time(timeZone).resolvedOptions();
      return (hour12 ? hour : time)(timeZone).format(instantMs);
    },
    hour: (instantMs, timeZone) => {
      const parts = hour(timeZone).formatToParts(instantMs);
      return parts.find(({ type }) => type === 'hour')?.value ?? '';
    },
    zonedTime: (instantMs, timeZone) => zonedTime(timeZone).format(instantMs),
  };
}

function weekdaysOf(locale: string): Visitor['weekdays'] {
  const name = (style: 'short' | 'long') =>
    new Intl.DateTimeFormat(locale, { ...GREGORIAN, weekday: style, timeZone: 'UTC' });
  const names = { short: name('short'), long: name('long') };
  const first = firstDayOf(locale);
  return Array.from({ length: 7 }, (_, i) => {
    const iso = ((first - 1 + i) % 7) + 1;
    const day = MONDAY + (iso - 1) * DAY_MS;
    return { iso, short: names.short.format(day), long: names.long.format(day) };
  });
}

/** `getWeekInfo` is newer than TypeScript's library knows. */
function firstDayOf(locale: string): number {
  const of = new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { firstDay: number } };
  return of.getWeekInfo?.().firstDay ?? 1;
}
