import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { RideJson } from '../../shapes.ts';
import type { Setting } from './frame.ts';

/**
 * Every ride of a day, newest first, with what it added up to by then: what the chart shows, in words. The roles keep it a
 * table for screen readers where CSS takes its rows apart, on a narrow screen.
 */
export function rideTable(rides: RideJson[], zoneOf: (resortId: number) => string, { visitor }: Setting): Html {
  let below = rides.reduce((sum, { verticalM }) => sum + verticalM, 0);
  const row = ({ eventId, resortId, scannedAt, liftName, verticalM }: RideJson): Html => {
    const total = below;
    below -= verticalM;
    return html`<tr role="row" data-mark="${eventId}"><td role="cell"><time datetime="${scannedAt}">${visitor.time(Date.parse(scannedAt), zoneOf(resortId))}</time></td><th role="rowheader" scope="row">${liftName}</th><td role="cell">${visitor.height(verticalM)}</td><td role="cell">${visitor.height(total)}</td></tr>`;
  };
  return html`<table class="rides" role="table"><caption class="unseen">Rides, newest first</caption>
<thead role="rowgroup"><tr role="row">${['Time', 'Lift', 'Vertical', 'So far'].map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${rides.map(row)}</tbody></table>`;
}
