import { Temporal } from 'temporal-polyfill';

/** What a resort's calendar is made from, as the directory keeps it. */
export interface CalendarRules {
  /** IANA name, e.g. `Europe/Zurich` */
  timeZone: string;
  /** local opening time, `HH:MM` */
  opensAt: string;
  /** the usual first day of a season, `MM-DD`, for every season that has no start date of its own */
  seasonStartsOn: string;
  /** declared seasons: the year that names it and its local start date, `YYYY-MM-DD` */
  seasons: { season: number; startsOn: string }[];
}

/** Where an instant falls in a resort's own time. */
export interface LocalMoment {
  season: number;
  /** day of the season, 1 to 366 */
  day: number;
  /** local date, YYYY-MM-DD */
  date: string;
  /** local hour, 0 to 23 */
  hour: number;
}

/** A season is named by a year in this range. */
export const MIN_SEASON = 1990;
export const MAX_SEASON = 2100;
export const MAX_SEASON_DAYS = 366;

const DAY_MS = 86_400_000;
const MAX_REMEMBERED_DAYS = 2_000;

interface LocalDay {
  startMs: number;
  endMs: number;
  season: number;
  day: number;
  date: string;
  /** start of each local hour of the day in order; 23, 24 or 25 of them */
  hours: { startMs: number; hour: number }[];
}

/**
 * A resort's local days and seasons. Seasons follow each other without gap: a season lasts until the next one starts, and
 * a year that has no declared start begins on the usual date, so every instant belongs to exactly one season and day.
 *
 * Time zone arithmetic costs tens of microseconds, a scan has two: local days are remembered once computed.
 */
export class ResortCalendar {
  readonly #rules: CalendarRules;
  readonly #declared: Map<number, string>;
  readonly #opening: Temporal.PlainTime;
  readonly #days = new Map<number, LocalDay[]>();
  readonly #openings = new Map<number, { openingMs: number; date: string }>();
  readonly #dates = new Map<string, { season: number; day: number }>();
  #lastDay: LocalDay | undefined;

  /** @throws RangeError when the time zone, opening time or a date does not exist */
  constructor(rules: CalendarRules) {
    this.#rules = rules;
    this.#declared = new Map(rules.seasons.map(({ season, startsOn }) => [season, startsOn]));
    this.#opening = Temporal.PlainTime.from(rules.opensAt);
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(rules.timeZone);
    Temporal.PlainDate.from(`2001-${rules.seasonStartsOn}`, { overflow: 'reject' });
    for (const { startsOn } of rules.seasons) Temporal.PlainDate.from(startsOn, { overflow: 'reject' });
  }

  /** The declared seasons, oldest first. */
  get declaredSeasons(): number[] {
    return [...this.#declared.keys()].toSorted((a, b) => a - b);
  }

  /** @returns the local date a season starts on, YYYY-MM-DD: declared, or the usual day of that year */
  startOf(season: number): string {
    return this.#declared.get(season) ?? `${season}-${this.#rules.seasonStartsOn}`;
  }

  /** @returns season, day, local date and local hour of an instant in milliseconds since the epoch */
  locate(epochMs: number): LocalMoment {
    const local = this.#localDay(epochMs);
    let hour = 0;
    for (const entry of local.hours) {
      if (entry.startMs > epochMs) break;
      hour = entry.hour;
    }
    return { season: local.season, day: local.day, date: local.date, hour };
  }

  /**
   * The instant of a wall-clock offset on a day that is named by season and number, as SkiDataAPI posts it.
   *
   * @param day 1 to 366; the 366th of a 365-day season is the day after its last
   * @param minutes minutes after opening time, 0 to 1439
   */
  instantOf(season: number, day: number, minutes: number): { scannedAt: number; date: string; hour: number } {
    const { openingMs, date } = this.#openingOf(season, day);
    const scannedAt = openingMs + minutes * 60_000;
    return { scannedAt, date, hour: this.locate(scannedAt).hour };
  }

  /** @returns the local date, YYYY-MM-DD, of a day (1 to 366) of a season */
  dateOf(season: number, day: number): string {
    return Temporal.PlainDate.from(this.startOf(season))
      .add({ days: day - 1 })
      .toString();
  }

  /** @returns season and day (1 to 366) of a local date, YYYY-MM-DD; @throws RangeError when there is no such date */
  dayOf(date: string): { season: number; day: number } {
    const known = this.#dates.get(date);
    if (known) return known;
    const local = Temporal.PlainDate.from(date, { overflow: 'reject' });
    const season = this.#seasonOf(local);
    const day = Temporal.PlainDate.from(this.startOf(season)).until(local, { largestUnit: 'days' }).days + 1;
    if (this.#dates.size >= MAX_REMEMBERED_DAYS) this.#dates.clear();
    const found = { season, day };
    this.#dates.set(date, found);
    return found;
  }

  /** @returns what is wrong with the declared seasons as a whole, one sentence each; none when every day has one season */
  problems(): string[] {
    const found: string[] = [];
    for (const season of this.declaredSeasons) {
      for (const first of [season - 1, season]) {
        const days = Temporal.PlainDate.from(this.startOf(first)).until(this.startOf(first + 1), {
          largestUnit: 'days',
        }).days;
        if (days < 1 || days > MAX_SEASON_DAYS) {
          found.push(
            `season ${first} would last ${days} days, from ${this.startOf(first)} to ${this.startOf(first + 1)}`,
          );
        }
      }
    }
    return [...new Set(found)];
  }

  /**
   * What has begun keeps its days: scans are taken in a season before it is declared, from its usual day on.
   *
   * @param nowMs milliseconds since the epoch
   * @returns why a season can't get this start (YYYY-MM-DD) any more, or undefined when it can
   */
  whyTooLate(season: number, startsOn: string, nowMs: number): string | undefined {
    const usual = this.startOf(season);
    const earlier = startsOn < usual ? startsOn : usual;
    if (startsOn === usual || earlier > this.locate(nowMs).date) return undefined;
    return `season ${season} can't start on ${startsOn} any more: by the usual day it starts on ${usual}, and rides may be stored by that`;
  }

  #openingOf(season: number, day: number): { openingMs: number; date: string } {
    const key = season * 512 + day;
    const known = this.#openings.get(key);
    if (known) return known;
    const date = this.dateOf(season, day);
    const opening = Temporal.PlainDate.from(date).toZonedDateTime({
      timeZone: this.#rules.timeZone,
      plainTime: this.#opening,
    });
    if (this.#openings.size >= MAX_REMEMBERED_DAYS) this.#openings.clear();
    const found = { openingMs: opening.epochMilliseconds, date };
    this.#openings.set(key, found);
    return found;
  }

  #seasonOf(date: Temporal.PlainDate): number {
    const isBefore = (season: number) => Temporal.PlainDate.compare(date, this.startOf(season)) < 0;
    let season = date.year;
    while (isBefore(season)) season -= 1;
    while (!isBefore(season + 1)) season += 1;
    return season;
  }

  #localDay(epochMs: number): LocalDay {
    const last = this.#lastDay;
    if (last && epochMs >= last.startMs && epochMs < last.endMs) return last;
    const utcDay = Math.floor(epochMs / DAY_MS);
    const near = this.#days.get(utcDay) ?? [];
    let found = near.find((day) => epochMs >= day.startMs && epochMs < day.endMs);
    if (!found) {
      found = this.#computeDay(epochMs);
      if (this.#days.size >= MAX_REMEMBERED_DAYS) this.#days.clear();
      this.#days.set(utcDay, [...near, found]);
    }
    this.#lastDay = found;
    return found;
  }

  #computeDay(epochMs: number): LocalDay {
    const zoned = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(this.#rules.timeZone);
    let start = zoned.startOfDay();
    let end = start.add({ days: 1 }).startOfDay();
    // clocks that went back over midnight (St. John's, until 2011) repeat the old day's last hour: it is the new day's
    if (end.epochMilliseconds <= epochMs) [start, end] = [end, end.add({ days: 1 }).startOfDay()];
    const endMs = end.epochMilliseconds;
    const date = start.toPlainDate().toString();
    const hours: LocalDay['hours'] = [];
    for (let ms = start.epochMilliseconds; ms < endMs; ms += 900_000) {
      const hour = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(this.#rules.timeZone).hour;
      if (hours.at(-1)?.hour !== hour) hours.push({ startMs: ms, hour });
    }
    return { startMs: start.epochMilliseconds, endMs, ...this.dayOf(date), date, hours };
  }
}
