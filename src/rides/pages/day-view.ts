import type { PageOptions } from './page-options.ts';
import type { DayView } from './parts/day-page.ts';
import { together } from '../kept-reads.ts';

/** @throws Problem `node_unavailable` */
export async function readDayView(
  { reads, directory }: Pick<PageOptions, 'reads' | 'directory'>,
  o: { skierId: number; date: string },
): Promise<DayView> {
  const day = await reads.day(o.skierId, o.date);
  const label = day.content.days[0]?.season;
  const season = label === undefined ? undefined : Number(label);
  const around = season === undefined ? undefined : await reads.days(o.skierId, season);
  const dates = (around?.content.days ?? []).map(({ date }) => date);
  const { resorts } = directory.snapshot();
  const visited = new Set(day.content.rides.map(({ resortId }) => resortId).toReversed());
  return {
    ...together([day, ...(around ? [around] : [])]),
    day: day.content,
    season,
    before: dates.find((date) => date < o.date),
    after: dates.findLast((date) => date > o.date),
    resorts: [...visited].flatMap((resortId) => {
      const { name, timeZone } = resorts.get(resortId) ?? {};
      return name === undefined || timeZone === undefined ? [] : [{ resortId, name, timeZone }];
    }),
  };
}
