import type { Resort } from '../../directory/snapshot.ts';
import type { DayJson } from '../shapes.ts';
import { monthGrids, shownSpan } from './calendar-grid.ts';
import type { PageOptions } from './page-options.ts';
import type { DateTotals } from './parts/calendar.ts';
import type { SeasonView } from './parts/season-page.ts';
import { together } from '../kept-reads.ts';
import { localNow } from './resort-hours.ts';

const MAX_RECENT = 6;

/**
 * @param o.season the newest one with rides unless given; the one that runs when there are none
 * @param o.firstWeekday the weekday that rows of the calendar begin with, 1 for Monday to 7 for Sunday
 * @throws Problem `node_unavailable`
 */
export async function readSeasonView(
  { reads, directory }: Pick<PageOptions, 'reads' | 'directory'>,
  o: { skierId: number; season: number | undefined; firstWeekday: number; now: number },
): Promise<SeasonView> {
  const { resorts } = directory.snapshot();
  const seasons = await reads.seasons(o.skierId);
  const running = runningSeason([...resorts.values()], o.now);
  const ridden = seasons.content.seasons.map(({ season }) => Number(season));
  const season = o.season ?? ridden[0] ?? running;
  const days = await reads.days(o.skierId, season);
  const latestDate = days.content.days[0]?.date;
  const latest = latestDate === undefined ? undefined : await reads.day(o.skierId, latestDate);

  const byDate = totalsByDate(days.content.days);
  const resort = resorts.get(days.content.days[0]?.resortId ?? 0);
  return {
    ...together([seasons, days, ...(latest ? [latest] : [])]),
    season,
    seasons: [...new Set([...ridden, running, season])].toSorted((a, b) => b - a),
    isOver: season < running,
    totals: sumOf(byDate),
    byDate,
    months: monthsOf(resort, season, { dates: [...byDate.keys()], ...o }),
    today: resort ? localNow(resort, o.now).date : '',
    recent: recentOf(days.content.days, byDate, resorts),
    latest: latest?.content,
    timeZone: resort?.timeZone ?? 'UTC',
  };
}

/** Of resorts in both hemispheres, the one that began last. */
function runningSeason(resorts: Resort[], now: number): number {
  const running = resorts.map(({ calendar }) => calendar.locate(now).season);
  return Math.max(...(running.length > 0 ? running : [new Date(now).getUTCFullYear()]));
}

/** A date at two resorts is one day. */
function totalsByDate(days: DayJson[]): Map<string, DateTotals> {
  const byDate = new Map<string, DateTotals>();
  for (const { date, rides, verticalM } of days) {
    const sum = byDate.get(date) ?? { rides: 0, verticalM: 0 };
    byDate.set(date, { rides: sum.rides + rides, verticalM: sum.verticalM + verticalM });
  }
  return byDate;
}

function recentOf(
  days: DayJson[],
  byDate: ReadonlyMap<string, DateTotals>,
  resorts: ReadonlyMap<number, Resort>,
): SeasonView['recent'] {
  return [...byDate].slice(0, MAX_RECENT).map(([date, totals]) => {
    const ids = days.filter((day) => day.date === date).map(({ resortId }) => resortId);
    return { date, ...totals, where: ids.map((id) => resorts.get(id)?.name ?? `Resort ${id}`) };
  });
}

function sumOf(byDate: ReadonlyMap<string, DateTotals>): SeasonView['totals'] {
  const totals = { days: byDate.size, rides: 0, verticalM: 0 };
  for (const { rides, verticalM } of byDate.values()) {
    totals.rides += rides;
    totals.verticalM += verticalM;
  }
  return totals;
}

function monthsOf(
  resort: Resort | undefined,
  season: number,
  o: { dates: string[]; firstWeekday: number; now: number },
): SeasonView['months'] {
  if (!resort) return [];
  const { from, to } = shownSpan({
    startsOn: resort.calendar.startOf(season),
    endsBefore: resort.calendar.startOf(season + 1),
    today: localNow(resort, o.now).date,
    dates: o.dates,
  });
  return monthGrids(from, to, o.firstWeekday);
}
