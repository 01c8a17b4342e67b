import { html } from 'hono/html';
import type { MonthGrid } from '../calendar-grid.ts';
import { heatScale } from '../heat.ts';
import type { Html } from '../html.ts';
import type { Setting } from './frame.ts';

/** What a skier did on one date, at whatever resorts. */
export interface DateTotals {
  rides: number;
  verticalM: number;
}

/** A season as months of days, each the deeper in colour the higher it went; days with rides are links. */
export function calendar(
  months: MonthGrid[],
  totals: ReadonlyMap<string, DateTotals>,
  today: string,
  setting: Setting,
): Html {
  const heatOf = heatScale(Math.max(0, ...[...totals.values()].map(({ verticalM }) => verticalM)));
  const cell = (date: string | null): Html => {
    if (date === null) return html`<td></td>`;
    const of = totals.get(date);
    const number = Number(date.slice(8));
    const current = date === today && html`aria-current="date"`;
    if (!of) return html`<td class="day" ${current}>${number}</td>`;
    const { visitor, links } = setting;
    const told = `${visitor.longDate(date)}: ${visitor.number(of.rides)} ${of.rides === 1 ? 'ride' : 'rides'}, ${visitor.height(of.verticalM)}`;
    return html`<td class="day heat-${heatOf(of.verticalM)}" data-mark="${date} ${of.rides}" ${current}><a href="${links.day(date)}" title="${told}" aria-label="${told}">${number}</a></td>`;
  };
  return html`<div class="months">${months.map(({ first, weeks }) =>
    month(
      first,
      weeks.map((week) => week.map(cell)),
      setting,
    ),
  )}</div>
${legend(setting)}`;
}

function month(first: string, weeks: Html[][], { visitor }: Setting): Html {
  return html`<table class="month"><caption lang="${visitor.locale}">${visitor.month(first)}</caption>
<thead><tr>${visitor.weekdays.map(
    ({ short, long }) =>
      html`<th scope="col" lang="${visitor.locale}"><span aria-hidden="true">${short}</span><span class="unseen">${long}</span></th>`,
  )}</tr></thead>
<tbody>${weeks.map((cells) => html`<tr>${cells}</tr>`)}</tbody></table>`;
}

function legend({ visitor }: Setting): Html {
  return html`<p class="legend" aria-hidden="true">${visitor.height(0)} ${[0, 1, 2, 3, 4].map(
    (heat) => html`<span class="swatch heat-${heat}"></span>`,
  )} your highest day</p>`;
}
