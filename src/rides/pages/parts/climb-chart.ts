import { html } from 'hono/html';
import { type Climb, climbOf } from '../climb.ts';
import type { Html } from '../html.ts';
import type { RideJson } from '../../shapes.ts';
import type { Setting } from './frame.ts';

/** A chart of a day: the line that climbs with each ride, like the cable of a lift, and each ride on it. */
export function climbChart(newestFirst: RideJson[], timeZone: string, setting: Setting): Html {
  const { visitor } = setting;
  const rides = newestFirst.toReversed();
  const times = rides.map(({ scannedAt }) => Date.parse(scannedAt));
  const climb = climbOf(
    rides.map(({ verticalM }, i) => ({ atMs: times[i] ?? 0, verticalM })),
    { timeZone, heightUnits: (metres) => visitor.heightUnits(metres) },
  );
  const time = (ms: number) => visitor.time(ms, timeZone);
  const total = visitor.height(climb.points.at(-1)?.totalM ?? 0);
  const first = time(times[0] ?? 0);
  const told =
    rides.length === 1
      ? `${total} climbed in one ride, at ${first}`
      : `${total} climbed in ${visitor.number(rides.length)} rides, from ${first} to ${time(times.at(-1) ?? 0)}`;
  return html`<figure class="climb">
<svg class="plot" role="img" aria-label="${told}">
${climb.heights.map(({ y }) => html`<line class="grid" x1="0" x2="100%" y1="${percent(y)}" y2="${percent(y)}"/>`)}
<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">${gradients}<path fill="url(#slope)" d="${climb.areaPath}"/>${plateau(climb.points.at(-1))}<path class="cable" d="${climb.linePath}"/></svg>
${climb.heights.map(({ y, units }) => html`<text class="height" x="0" y="${percent(y)}" dy="-5">${visitor.heightText(units)}</text>`)}
${rides.map((ride, i) => chair(ride, climb.points[i], setting, time(times[i] ?? 0)))}
</svg>
<svg class="axis" aria-hidden="true">${climb.hours.map(({ x, atMs }) => hourLabel(x, visitor.fullHour(atMs, timeZone)))}</svg>
<figcaption>${told}.</figcaption>
</figure>`;
}

function chair(ride: RideJson, point: Climb['points'][number] | undefined, { visitor }: Setting, time: string): Html {
  const { x = 0, y = 0 } = point ?? {};
  return html`<circle class="chair" cx="${percent(x)}" cy="${percent(y)}" r="4.5" data-mark="${ride.eventId}"><title>${time} ${ride.liftName}, ${visitor.height(ride.verticalM)}</title></circle>`;
}

function hourLabel(x: number, text: string): Html {
  const anchor = x < 3 ? 'start' : x > 97 ? 'end' : 'middle';
  return html`<text x="${percent(x)}" y="14" text-anchor="${anchor}">${text}</text>`;
}

const percent = (value: number) => `${Math.round(value * 100) / 100}%`;

/** The height that was reached, fading out towards the hours to come. */
function plateau(last: Climb['points'][number] | undefined): Html | undefined {
  if (!last) return undefined;
  const box = html`x="${last.x}" y="${last.y}" width="${100 - last.x}" height="${100 - last.y}"`;
  return html`<rect fill="url(#slope)" ${box}/><rect fill="url(#fade)" ${box}/>`;
}

/** Of the slope, and of what lies behind the last ride. */
const gradients = html`<defs><linearGradient id="slope" x1="0" y1="0" x2="0" y2="1"><stop class="slope-top"/><stop class="slope-foot" offset="1"/></linearGradient><linearGradient id="fade"><stop class="fade-from"/><stop class="fade-to" offset="1"/></linearGradient></defs>`;
