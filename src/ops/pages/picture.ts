import { html } from 'hono/html';
import { type Alarm, alarmsOf } from './alarms.ts';
import type { LaneView, NodeView, PipelineView } from './pipeline-view.ts';

/** A piece of a page, as `html` of hono makes it: what was put into it is escaped. */
export type Html = ReturnType<typeof html>;

/** The part of the page that is looked at again every second. */
export function picture(view: PipelineView): Html {
  const { processes, lanes, nodes } = view;
  const total = (of: (lane: LaneView) => number | undefined) =>
    lanes.every((lane) => of(lane) !== undefined) ? lanes.reduce((sum, lane) => sum + (of(lane) ?? 0), 0) : undefined;
  return html`
${alarmList(alarmsOf(view))}
<ol class="flow" aria-label="From the gates to the databases">
<li class="stage">${head('Edges', countOf(processes, ['edge', 'up']))}<p class="rate">${perS(total((lane) => lane.takenPerS))} <span>scans/s come in</span></p></li>
<li class="stage wide">${head('Lanes', String(lanes.length))}${laneTable(lanes)}</li>
<li class="stage">${head('Workers', countOf(processes, ['worker']))}<p class="rate">${perS(total((lane) => lane.storedPerS))} <span>scans/s stored</span></p></li>
<li class="stage wide">${head('Nodes', String(nodes.length))}${nodeTable(nodes)}</li>
<li class="stage">${head('Rides', countOf(processes, ['rides', 'up']))}<p class="rate">${behind(lanes)} <span>behind, the slowest lane</span></p></li>
</ol>
${sums(view)}`;
}

function alarmList(alarms: Alarm[]): Html {
  if (alarms.length === 0) return html`<p class="well">All is well.</p>`;
  return html`<ul class="alarms">${alarms.map(
    ({ key, severity, what, todo }) =>
      html`<li class="${severity}" data-alarm="${key}"><strong>${severity === 'bad' ? 'Wrong' : 'Look'}: <span class="what">${what}</span>.</strong> ${todo}</li>`,
  )}</ul>`;
}

function head(name: string, count: string): Html {
  return html`<h2>${name} <span class="count">${count}</span></h2>`;
}

function laneTable(lanes: LaneView[]): Html {
  const most = Math.max(1, ...lanes.map(({ scans }) => scans ?? 0));
  return html`<table>
<thead><tr><th scope="col">Lane</th><th scope="col">In/s</th><th scope="col">Waiting</th><th scope="col">Oldest</th><th scope="col">Readers behind</th></tr></thead>
<tbody>${lanes.map(
    (lane) => html`<tr>
<th scope="row">${lane.lane}</th><td>${perS(lane.takenPerS)}</td>
<td class="bar"><meter min="0" max="${most}" value="${lane.scans ?? 0}" aria-hidden="true"></meter> ${lane.scans === undefined ? 'away' : whole(lane.scans)}</td>
<td>${seconds(lane.oldestAgeS)}</td><td>${seconds(lane.behindS)}</td>
</tr>`,
  )}</tbody></table>`;
}

function nodeTable(nodes: NodeView[]): Html {
  return html`<table>
<thead><tr><th scope="col">Node</th><th scope="col">State</th><th scope="col">Stored/s</th><th scope="col">Shards</th><th scope="col">Dead</th></tr></thead>
<tbody>${nodes.map(
    (node) => html`<tr>
<th scope="row">${node.name}</th><td class="${node.isUp ? 'up' : 'away'}">${node.isUp ? 'up' : 'away'}</td>
<td>${perS(node.storedPerS)}</td><td class="shards">${ranges(node.shards)}</td><td>${node.deadLetters === undefined ? '–' : whole(node.deadLetters)}</td>
</tr>`,
  )}</tbody></table>`;
}

function sums({ sums: books, unaccounted }: PipelineView): Html {
  const title = html`<h2 id="sums">Nothing is lost</h2>`;
  if (!books) {
    return html`<section class="sums" aria-labelledby="sums">${title}<p>The sums are told when the queue and every node answer.</p></section>`;
  }
  return html`<section class="sums" aria-labelledby="sums">${title}
<p class="equation">${part('enqueued', books.enqueued)} = ${part('persisted', books.persisted)} + ${part('duplicate', books.duplicate)} + ${part('dead', books.dead)} + ${part('in flight', books.inFlight)}</p>
<p>${unaccounted === 0 ? 'The queue and the ledgers agree on every job.' : unaccounted ? `They differ by ${unaccounted} jobs.` : 'A lane is too deep to be counted job by job.'}</p></section>`;
}

function part(name: string, value: number): Html {
  return html`<span class="term"><b>${whole(value)}</b> ${name}</span>`;
}

function countOf(processes: PipelineView['processes'], kinds: string[]): string {
  if (processes === undefined) return '?';
  return String(kinds.reduce((sum, kind) => sum + (processes.get(kind) ?? 0), 0));
}

function behind(lanes: LaneView[]): string {
  const known = lanes.map(({ behindS }) => behindS).filter((value) => value !== undefined);
  return known.length < lanes.length ? '–' : seconds(Math.max(...known));
}

const NUMBER = new Intl.NumberFormat('en');
const whole = (value: number) => NUMBER.format(Math.round(value));
const perS = (value: number | undefined) => (value === undefined ? '–' : whole(value));

function seconds(value: number | undefined): string {
  if (value === undefined) return '–';
  return value < 100 ? `${value.toFixed(1)} s` : `${whole(value / 60)} min`;
}

/** `0–5, 8` for 0, 1, 2, 3, 4, 5 and 8; `0, 2, … 62` for every second one, as nodes have them that took turns. */
export function ranges(numbers: readonly number[]): string {
  const [first = 0, second = 0] = numbers;
  const step = second - first;
  const takesTurns = step > 1 && numbers.every((number, at) => number === first + at * step);
  if (takesTurns && numbers.length > 3) return `${first}, ${second}, … ${numbers.at(-1)}`;
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}
