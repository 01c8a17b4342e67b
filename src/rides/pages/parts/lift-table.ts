import { html } from 'hono/html';
import { heatScale } from '../heat.ts';
import type { Html } from '../html.ts';
import type { HourText } from '../resort-hours.ts';
import type { ResortDayContent } from '../../shapes.ts';
import type { Setting } from './frame.ts';

/**
 * Each lift's rides by hour, the more the deeper in colour. On a narrow screen its name stands above its hours, which CSS
 * does by taking the rows out of the table's layout: the roles keep it a table for screen readers.
 *
 * @param hours the local hours that are shown
 */
export function liftTable(lifts: ResortDayContent['lifts'], hours: HourText[], { visitor }: Setting): Html {
  // by the root, so that quiet lifts differ, too
  const most = heatScale(Math.sqrt(Math.max(0, ...lifts.flatMap((lift) => lift.hours))));
  const heatOf = (rides: number) => most(Math.sqrt(rides));
  return html`<table class="loads" role="table"><caption class="unseen">Rides of each lift by hour, busiest first</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Lift</th><th role="columnheader" scope="col">Rides</th>${hours.map(
    ({ full, short }) =>
      html`<th role="columnheader" scope="col" class="hour"><span aria-hidden="true">${short}</span><span class="unseen">${full}</span></th>`,
  )}</tr></thead>
<tbody role="rowgroup">${lifts
    .toSorted((a, b) => b.rides - a.rides || a.liftId - b.liftId)
    .map(
      (lift) =>
        html`<tr role="row"><th role="rowheader" scope="row">${lift.name}</th><td role="cell" class="sum">${visitor.number(lift.rides)}</td>${hours.map(
          ({ hour }) => {
            const rides = lift.hours[hour] ?? 0;
            return html`<td role="cell" class="load heat-${heatOf(rides)}"><span${rides === 0 && html` class="unseen"`}>${visitor.number(rides)}</span></td>`;
          },
        )}</tr>`,
    )}</tbody></table>`;
}
