import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { RideJson } from '../../shapes.ts';
import type { Setting } from './frame.ts';

/** Every ride of a day, newest first, with what it added up to by then: what the chart shows, in words. */
export function rideTable(rides: RideJson[], zoneOf: (resortId: number) => string, { visitor }: Setting): Html {
  let below = rides.reduce((sum, { verticalM }) => sum + verticalM, 0);
  const row = ({ eventId, resortId, scannedAt, liftName, verticalM }: RideJson): Html => {
    const total = below;
    below -= verticalM;
    return html`<tr data-mark="${eventId}"><td><time datetime="${scannedAt}">${visitor.time(Date.parse(scannedAt), zoneOf(resortId))}</time></td><th scope="row">${liftName}</th><td>${visitor.height(verticalM)}</td><td>${visitor.height(total)}</td></tr>`;
  };
  return html`<table class="rides"><caption class="unseen">Rides, newest first</caption>
<thead><tr><th scope="col">Time</th><th scope="col">Lift</th><th scope="col">Vertical</th><th scope="col">So far</th></tr></thead>
<tbody>${rides.map(row)}</tbody></table>`;
}
