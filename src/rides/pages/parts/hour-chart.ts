import { scaleBand, scaleLinear } from 'd3-scale';
import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { HourText } from '../resort-hours.ts';
import type { Setting } from './frame.ts';

const BOX = 100;
/** Above the highest bar, for its number. */
const HEADROOM = 1.16;
const MAX_LABELS = 5;

/**
 * Rides of all lifts together by hour, as bars.
 *
 * @param hours the rides of each local hour that is shown
 */
export function hourChart(
  hours: { hour: number; rides: number }[],
  hourText: (hour: number) => HourText,
  { visitor }: Setting,
): Html {
  const busiest = hours.reduce((best, entry) => (entry.rides > best.rides ? entry : best), { hour: 0, rides: 0 });
  const x = scaleBand(
    hours.map(({ hour }) => hour),
    [0, BOX],
  ).padding(0.22);
  const y = scaleLinear([0, Math.max(1, busiest.rides) * HEADROOM], [BOX, 0]);
  const told = `Rides per hour; the busiest began at ${hourText(busiest.hour).full} with ${visitor.number(busiest.rides)}`;
  const every = Math.ceil(hours.length / MAX_LABELS);
  return html`<figure class="hours">
<svg class="plot" role="img" aria-label="${told}">${hours.map(({ hour, rides }) => {
    const isBusiest = hour === busiest.hour && html` is-busiest`;
    const top = y(rides);
    return html`<rect class="hour${isBusiest}" x="${percent(x(hour))}" width="${percent(x.bandwidth())}" y="${percent(top)}" height="${percent(BOX - top)}" rx="3"><title>${hourText(hour).full}: ${visitor.number(rides)}</title></rect>${
      isBusiest &&
      html`<text x="${percent((x(hour) ?? 0) + x.bandwidth() / 2)}" y="${percent(top)}" dy="-6" text-anchor="middle">${visitor.number(rides)}</text>`
    }`;
  })}</svg>
<svg class="axis" aria-hidden="true">${hours.map(
    ({ hour }, i) =>
      i % every === 0 &&
      html`<text x="${percent((x(hour) ?? 0) + x.bandwidth() / 2)}" y="14" text-anchor="middle">${hourText(hour).full}</text>`,
  )}</svg>
<figcaption>${told}.</figcaption>
</figure>`;
}

const percent = (value: number | undefined) => `${Math.round((value ?? 0) * 100) / 100}%`;
