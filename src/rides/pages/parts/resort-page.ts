import { html } from 'hono/html';
import type { Resort } from '../../../directory/snapshot.ts';
import type { ResortDayContent } from '../../shapes.ts';
import type { Html } from '../html.ts';
import { hoursShown, hourTexts, type LocalNow } from '../resort-hours.ts';
import type { Told } from '../../kept-reads.ts';
import { completeness } from './completeness.ts';
import { figures } from './figures.ts';
import type { Setting } from './frame.ts';
import { hourChart } from './hour-chart.ts';
import { liftTable } from './lift-table.ts';
import { messagePage } from './message-page.ts';
import { steps } from './steps.ts';

/** A resort's day. */
export interface ResortView {
  resort: Resort;
  date: string;
  local: LocalNow;
  before: string;
  /** none after today */
  after: string | undefined;
  /** undefined while a node is away */
  told: Told<ResortDayContent> | undefined;
}

export function resortPage(view: ResortView, setting: Setting): Html {
  const { visitor, links } = setting;
  const { resort, date, told } = view;
  const step = (to: string) => ({
    href: links.resort(resort.resortId, to),
    text: visitor.shortDate(to),
    lang: visitor.locale,
  });
  const after = view.after === undefined ? undefined : step(view.after);
  return html`<div data-region="steps">${steps(step(view.before), after, dateForm(view))}</div>
<div class="title-line" data-region="title"><h1 id="title">${resort.name}</h1><p class="where"><span lang="${visitor.locale}">${visitor.longDate(date)}</span> · ${openText(view, visitor)}</p></div>
${told ? dayOf(view, told, setting) : away(view, setting)}`;
}

function dateForm({ date, local }: ResortView): Html {
  return html`<form class="pick" method="get"><label class="unseen" for="date">Date</label><input id="date" name="date" type="date" value="${date}" max="${local.date}"><button>Show</button></form>`;
}

function openText({ resort, date, local }: ResortView, visitor: Setting['visitor']): string {
  const [opens, closes] = [visitor.timeOfDay(resort.opensAt), visitor.timeOfDay(resort.closesAt)];
  if (date !== local.date) return `open ${opens} to ${closes}`;
  if (local.time < resort.opensAt) return `opens at ${opens}`;
  return local.time < resort.closesAt ? `open until ${closes}` : `closed since ${closes}`;
}

function dayOf(view: ResortView, told: Told<ResortDayContent>, setting: Setting): Html {
  const { visitor } = setting;
  const { skiers, rides, verticalM, lifts } = told.content;
  return html`<section class="totals" data-region="totals" aria-label="The day in numbers">
${figures([
  { name: skiers === 1 ? 'Skier' : 'Skiers', value: visitor.number(skiers) },
  { name: rides === 1 ? 'Ride' : 'Rides', value: visitor.number(rides) },
  { name: 'Vertical of all', value: visitor.height(verticalM) },
  { name: 'Lifts with rides', value: `${visitor.number(lifts.length)} / ${visitor.number(view.resort.lifts.size)}` },
])}</section>
${completeness(told, view.resort.timeZone, setting)}
<div data-region="loads">${rides === 0 ? html`<p class="empty-head">No rides on this day.</p>` : loads(view, lifts, setting)}</div>`;
}

function loads({ resort, date }: ResortView, lifts: ResortDayContent['lifts'], setting: Setting): Html {
  const hours = hourTexts(hoursShown(resort, lifts), { ...resort, date }, setting.visitor);
  const sums = hours.map((of) => ({ ...of, rides: lifts.reduce((sum, lift) => sum + (lift.hours[of.hour] ?? 0), 0) }));
  const running = new Set(lifts.map(({ liftId }) => liftId));
  const idle = [...resort.lifts.values()].filter(({ liftId }) => !running.has(liftId));
  return html`<section class="card" aria-labelledby="hours"><div class="card-head"><h2 id="hours">Through the day</h2></div>
${hourChart(sums, setting)}</section>
<section class="card" aria-labelledby="loads"><div class="card-head"><h2 id="loads">Lifts by hour</h2></div>
${liftTable(lifts, hours, setting)}
${idle.length > 0 && html`<p class="idle"><strong>Without a ride:</strong> ${idle.map(({ name }) => name).join(', ')}</p>`}
</section>`;
}

function away({ resort, date }: ResortView, { links }: Setting): Html {
  return messagePage({
    level: 2,
    title: 'This day can’t be added up just now',
    text: 'One of the databases does not answer. A sum without it would be too small, so there is none.',
    again: links.resort(resort.resortId, date),
  });
}
