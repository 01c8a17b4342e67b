import { html } from 'hono/html';
import type { Resort } from '../../../directory/snapshot.ts';
import type { Html } from '../html.ts';
import { localNow } from '../resort-hours.ts';
import type { Setting } from './frame.ts';

/** Every resort, with its time and whether it is open. */
export function resortsPage(resorts: Resort[], setting: Setting): Html {
  return html`<h1>Resorts</h1>
${resorts.length === 0 ? html`<p>There are no resorts yet.</p>` : html`<ul class="resorts">${resorts.map((resort) => entry(resort, setting))}</ul>`}`;
}

function entry(resort: Resort, { visitor, links, now }: Setting): Html {
  const { resortId, name, timeZone, opensAt, closesAt, lifts } = resort;
  const { time } = localNow(resort, now);
  const isOpen = time >= opensAt && time < closesAt;
  return html`<li class="card"><a href="${links.resort(resortId)}">${name}</a>
<p>${visitor.number(lifts.size)} lifts · ${visitor.timeOfDay(opensAt)} to ${visitor.timeOfDay(closesAt)}</p>
<p class="clock"><span class="state ${isOpen ? 'is-open' : ''}">${isOpen ? 'Open' : 'Closed'}</span> <span>${visitor.zonedTime(now, timeZone)}</span></p></li>`;
}
