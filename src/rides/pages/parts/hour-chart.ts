import { scaleBand, scaleLinear } from 'd3-scale';
import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { HourText } from '../resort-hours.ts';
import type { Setting } from './frame.ts';

/** All rides that began in an hour. */
export interface HourRides extends HourText {
  rides: number;
}

const BOX = 100;
/** Above the highest bar, for its number. */
const HEADROOM = 1.16;
const MAX_LABELS = 5;

/** Rides of all lifts together by hour, as bars. @param hours one or more */
export function hourChart(hours: HourRides[], { visitor }: Setting): Html {
  const busiest = hours.reduce((best, entry) => (entry.rides > best.rides ? entry : best));
  const band = scaleBand(
    hours.map(({ hour }) => hour),
    [0, BOX],
  ).padding(0.22);
  const x = (hour: number) => band(hour) ?? 0;
  const centre = (hour: number) => percent(x(hour) + band.bandwidth() / 2);
  const y = scaleLinear([0, Math.max(1, busiest.rides) * HEADROOM], [BOX, 0]);
  const told = `Rides per hour; the busiest began at ${busiest.full} with ${visitor.number(busiest.rides)}`;
  const every = Math.ceil(hours.length / MAX_LABELS);
  const bar = ({ hour, full, rides }: HourRides): Html => {
    const place = html`x="${percent(x(hour))}" width="${percent(band.bandwidth())}" y="${percent(y(rides))}" height="${percent(BOX - y(rides))}"`;
    return html`<rect class="hour${hour === busiest.hour && ' is-busiest'}" ${place} rx="3"><title>${full}: ${visitor.number(rides)}</title></rect>`;
  };
  return html`<figure class="hours">
<svg class="plot" role="img" aria-label="${told}">${hours.map(bar)}<text x="${centre(busiest.hour)}" y="${percent(y(busiest.rides))}" dy="-6" text-anchor="middle">${visitor.number(busiest.rides)}</text></svg>
<svg class="axis" aria-hidden="true">${hours.map(
    ({ hour, full }, i) =>
      i % every === 0 && html`<text x="${centre(hour)}" y="14" text-anchor="middle">${full}</text>`,
  )}</svg>
<figcaption>${told}.</figcaption>
</figure>`;
}

const percent = (value: number) => `${Math.round(value * 100) / 100}%`;
