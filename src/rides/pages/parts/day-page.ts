import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { Freshness } from '../../kept-reads.ts';
import type { LiftRidesJson, SkierDayContent } from '../../shapes.ts';
import { climbChart } from './climb-chart.ts';
import { completeness } from './completeness.ts';
import { figures } from './figures.ts';
import type { Setting } from './frame.ts';
import { liftList } from './lift-list.ts';
import { rideTable } from './ride-table.ts';
import { type Step, steps } from './steps.ts';

/** One date of a skier. */
export interface DayView extends Freshness {
  day: Pick<SkierDayContent, 'date' | 'days' | 'rides'>;
  /** the season of its rides; none without rides */
  season: number | undefined;
  /** the days with rides beside it */
  before: string | undefined;
  after: string | undefined;
  /** where the rides were, in the order of the day's first ride */
  resorts: { resortId: number; name: string; timeZone: string }[];
}

export function dayPage(view: DayView, setting: Setting): Html {
  const { visitor, links } = setting;
  const { date, rides } = view.day;
  const timeZone = view.resorts[0]?.timeZone ?? 'UTC';
  const step = (to: string | undefined): Step | undefined =>
    to === undefined ? undefined : { href: links.day(to), text: visitor.shortDate(to), lang: visitor.locale };
  const season = html`<a href="${links.season(view.season)}">${view.season === undefined ? 'My season' : `Season ${view.season}`}</a>`;
  return html`<div data-region="steps">${steps(step(view.before), step(view.after), season)}</div>
<section class="totals" data-region="totals" aria-labelledby="title">
<h1 id="title" lang="${visitor.locale}">${visitor.longDate(date)}</h1>
${where(view, setting)}
${rides.length === 0 ? emptyDay : dayFigures(view, timeZone, setting)}
</section>
${completeness(view, timeZone, setting)}
<div data-region="rides">${rides.length > 0 && details(view, timeZone, setting)}</div>`;
}

const emptyDay = html`<p class="empty-head">No rides on this day.</p>`;

function where({ resorts, day }: DayView, { links }: Setting): Html | false {
  if (resorts.length === 0) return false;
  return html`<p class="where">${resorts.map(
    ({ resortId, name }, i) => html`${i > 0 && ' and '}<a href="${links.resort(resortId, day.date)}">${name}</a>`,
  )}</p>`;
}

function dayFigures({ day: { rides } }: DayView, timeZone: string, { visitor }: Setting): Html {
  const verticalM = rides.reduce((sum, ride) => sum + ride.verticalM, 0);
  const time = (at: string | undefined) => visitor.time(Date.parse(at ?? ''), timeZone);
  return figures([
    { name: 'Vertical', value: visitor.height(verticalM) },
    { name: rides.length === 1 ? 'Ride' : 'Rides', value: visitor.number(rides.length) },
    { name: 'First lift', value: time(rides.at(-1)?.scannedAt) },
    { name: 'Last lift', value: time(rides[0]?.scannedAt) },
  ]);
}

function details({ day, resorts }: DayView, timeZone: string, setting: Setting): Html {
  const zoneOf = (resortId: number) => resorts.find((resort) => resort.resortId === resortId)?.timeZone ?? timeZone;
  return html`<section class="card" aria-labelledby="climb"><div class="card-head"><h2 id="climb">The climb</h2></div>
${climbChart(day.rides, timeZone, setting)}</section>
<div class="columns">
<section class="card" aria-labelledby="rides"><div class="card-head"><h2 id="rides">Rides</h2></div>
${rideTable(day.rides, zoneOf, setting)}</section>
<section class="card" aria-labelledby="lifts"><div class="card-head"><h2 id="lifts">Lifts</h2></div>
${liftList(liftsOf(day), setting)}</section>
</div>`;
}

function liftsOf({ days }: DayView['day']): LiftRidesJson[] {
  return days.flatMap(({ lifts }) => lifts);
}
