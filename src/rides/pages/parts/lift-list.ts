import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { LiftRidesJson } from '../../shapes.ts';
import type { Setting } from './frame.ts';

/** The lifts of a day, most ridden first. */
export function liftList(lifts: LiftRidesJson[], { visitor }: Setting): Html {
  const most = Math.max(1, ...lifts.map(({ rides }) => rides));
  return html`<ol class="lifts">${lifts
    .toSorted((a, b) => b.rides - a.rides || a.liftId - b.liftId)
    .map(
      ({ liftName, rides }) =>
        html`<li><span class="lift-name">${liftName}</span> <span class="lift-rides">${visitor.number(rides)}<span class="unseen"> ${rides === 1 ? 'ride' : 'rides'}</span></span>
<svg class="bar" aria-hidden="true"><rect width="${Math.round((rides / most) * 100)}%" height="100%" rx="3"/></svg></li>`,
    )}</ol>`;
}
