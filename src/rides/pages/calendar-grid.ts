import { Temporal } from 'temporal-polyfill';

/** A month as calendars print it. */
export interface MonthGrid {
  /** its first day, YYYY-MM-DD */
  first: string;
  /** rows of seven: a date, or null beside the month */
  weeks: (string | null)[][];
}

const DAYS = 7;

/**
 * @param from a date in the first month
 * @param to a date in the last one, not before `from`
 * @param firstWeekday the weekday that rows begin with, 1 for Monday to 7 for Sunday
 * @returns the months from one to the other, oldest first
 */
export function monthGrids(from: string, to: string, firstWeekday: number): MonthGrid[] {
  const last = Temporal.PlainYearMonth.from(to);
  const grids: MonthGrid[] = [];
  for (
    let month = Temporal.PlainYearMonth.from(from);
    Temporal.PlainYearMonth.compare(month, last) <= 0;
    month = month.add({ months: 1 })
  ) {
    grids.push(gridOf(month, firstWeekday));
  }
  return grids;
}

function gridOf(month: Temporal.PlainYearMonth, firstWeekday: number): MonthGrid {
  const first = month.toPlainDate({ day: 1 });
  const before = (first.dayOfWeek - firstWeekday + DAYS) % DAYS;
  const cells: (string | null)[] = Array.from({ length: before }, () => null);
  for (let day = 1; day <= month.daysInMonth; day += 1) cells.push(first.with({ day }).toString());
  while (cells.length % DAYS !== 0) cells.push(null);
  const weeks = Array.from({ length: cells.length / DAYS }, (_, week) => cells.slice(week * DAYS, (week + 1) * DAYS));
  return { first: first.toString(), weeks };
}

/** The months that a season's calendar shows: those with rides, and those between them and the present day of a season that runs. */
export function shownSpan(o: { startsOn: string; endsBefore: string; today: string; dates: string[] }): {
  from: string;
  to: string;
} {
  const { startsOn, endsBefore, today, dates } = o;
  const isRunning = today >= startsOn && today < endsBefore;
  const all = (isRunning ? [startsOn, today, ...dates] : dates).toSorted();
  return { from: all[0] ?? startsOn, to: all.at(-1) ?? startsOn };
}
