import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { DateTotals } from './calendar.ts';
import type { Setting } from './frame.ts';

/** A day as a line of the list. */
export interface RecentDay extends DateTotals {
  date: string;
  /** names of the resorts */
  where: string[];
}

/** The newest days of a season in words. */
export function recentDays(days: RecentDay[], { visitor, links }: Setting): Html {
  return html`<table class="recent"><caption>Newest days</caption>
<thead class="unseen"><tr><th scope="col">Day</th><th scope="col">Vertical and rides</th></tr></thead>
<tbody>${days.map(
    ({ date, where, rides, verticalM }) =>
      html`<tr data-mark="${date} ${rides}"><th scope="row"><a href="${links.day(date)}" lang="${visitor.locale}">${visitor.shortDate(date)}</a><small>${where.join(', ')}</small></th><td>${visitor.height(verticalM)}<small>${visitor.number(rides)} ${rides === 1 ? 'ride' : 'rides'}</small></td></tr>`,
  )}</tbody></table>`;
}
