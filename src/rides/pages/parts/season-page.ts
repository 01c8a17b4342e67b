import { html } from 'hono/html';
import type { MonthGrid } from '../calendar-grid.ts';
import type { Html } from '../html.ts';
import type { Freshness } from '../../kept-reads.ts';
import type { SkierDayContent } from '../../shapes.ts';
import { calendar, type DateTotals } from './calendar.ts';
import { climbChart } from './climb-chart.ts';
import { completeness } from './completeness.ts';
import { figures } from './figures.ts';
import type { Setting } from './frame.ts';
import { besideMountain } from './mountain.ts';
import { type RecentDay, recentDays } from './recent-days.ts';
import { seasonPicker } from './season-picker.ts';

/** A season of a skier. */
export interface SeasonView extends Freshness {
  season: number;
  /** to choose from, newest first */
  seasons: number[];
  /** whether no more rides of it can come but late ones */
  isOver: boolean;
  totals: { days: number; rides: number; verticalM: number };
  byDate: ReadonlyMap<string, DateTotals>;
  months: MonthGrid[];
  /** where the resort of the latest day is */
  today: string;
  /** the newest days, newest first */
  recent: RecentDay[];
  latest: Pick<SkierDayContent, 'date' | 'rides'> | undefined;
  /** of the resort of the latest day */
  timeZone: string;
}

export function seasonPage(view: SeasonView, setting: Setting): Html {
  const { visitor, links } = setting;
  return html`<div class="title-line" data-region="title"><h1 id="title">Season ${view.season}</h1>${seasonPicker(view.seasons, view.season, links)}</div>
<section class="totals" data-region="totals" aria-labelledby="title">
${view.totals.rides === 0 ? emptySeason(view, setting) : totals(view, visitor)}
</section>
${completeness(view, view.timeZone, setting)}
<div data-region="latest">${view.latest && latestDay(view.latest, view.timeZone, setting)}</div>
<div data-region="days">${view.totals.rides > 0 && days(view, setting)}</div>`;
}

function totals({ totals: { days: count, rides, verticalM } }: SeasonView, visitor: Setting['visitor']): Html {
  const beside = besideMountain(verticalM, (value) => visitor.number(value));
  return html`${figures([
    { name: 'Vertical', value: visitor.height(verticalM) },
    { name: count === 1 ? 'Day' : 'Days', value: visitor.number(count) },
    { name: rides === 1 ? 'Ride' : 'Rides', value: visitor.number(rides) },
  ])}
${beside !== undefined && html`<p class="beside">${beside}</p>`}`;
}

function emptySeason({ season, seasons, isOver }: SeasonView, { links }: Setting): Html {
  const others = seasons.filter((other) => other !== season);
  const list = others.map((other, i) => html`${i > 0 && ', '}<a href="${links.season(other)}">season ${other}</a>`);
  return html`<div class="empty">
<p class="empty-head">${isOver ? `No rides in season ${season}.` : 'The snow is still untouched.'}</p>
<p>${!isOver && 'Your first ride shows up here moments after the gate has read your pass. '}${
    others.length > 0 && html`Meanwhile there is ${list}.`
  }</p></div>`;
}

function latestDay({ date, rides }: Pick<SkierDayContent, 'date' | 'rides'>, timeZone: string, setting: Setting): Html {
  const { visitor, links } = setting;
  const newest = rides[0];
  return html`<section class="card latest" aria-labelledby="latest">
<div class="card-head"><h2 id="latest">Latest day</h2><a href="${links.day(date)}"><span lang="${visitor.locale}">${visitor.longDate(date)}</span> <span aria-hidden="true">›</span></a></div>
${climbChart(rides, timeZone, setting)}
${newest && html`<p class="newest" data-mark="${newest.eventId}">Last lift: <strong>${newest.liftName}</strong> at <time datetime="${newest.scannedAt}">${visitor.time(Date.parse(newest.scannedAt), timeZone)}</time>, ${visitor.height(newest.verticalM)}</p>`}
</section>`;
}

function days({ months, byDate, today, recent }: SeasonView, setting: Setting): Html {
  return html`<section class="card" aria-labelledby="days"><div class="card-head"><h2 id="days">Days</h2></div>
<div class="season"><div>${calendar(months, byDate, today, setting)}</div><div>${recentDays(recent, setting)}</div></div></section>`;
}
