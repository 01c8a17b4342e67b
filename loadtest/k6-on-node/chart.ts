import { scaleLinear, scaleLog, type ScaleContinuousNumeric } from 'd3-scale';
import { line } from 'd3-shape';
import type { Report } from './report.ts';
import type { TimelineSecond } from './timeline.ts';

interface Series {
  label: string;
  colour: string;
  isDashed?: boolean;
  /** @returns undefined where there is none */
  read: (second: TimelineSecond) => number | undefined;
}

type Scale = ScaleContinuousNumeric<number, number>;

interface Panel {
  title: string;
  top: number;
  scale: Scale;
  ticks: number[];
  series: Series[];
}

const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 64;
const RIGHT = WIDTH - 190;
const PANEL_HEIGHT = 200;
const TOPS = [80, 340];
const COLOURS = ['#1b6ca8', '#c2571a', '#2d8a4e', '#8a3ffc', '#6b7280'];

/** The run second by second: what was offered and answered above, latencies on a logarithmic scale below. */
export function drawChart(report: Report): string {
  const { timeline } = report;
  const time = scaleLinear([0, Math.max(1, timeline.length - 1)], [LEFT, RIGHT]);
  const panels = [ratePanel(timeline), latencyPanel(timeline)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 26, `${report.script} against ${report.target}, ${report.startedAt}`, 'font-size="16"'),
    text(LEFT, 46, report.generator, 'fill="#b00020"'),
    ...panels.flatMap((panel) => drawPanel(panel, timeline, time)),
    text(RIGHT, HEIGHT - 14, 'seconds', 'text-anchor="end"'),
    '</svg>',
    '',
  ].join('\n');
}

function ratePanel(timeline: readonly TimelineSecond[]): Panel {
  const series: Series[] = [
    { label: 'iterations offered', colour: '#6b7280', isDashed: true, read: ({ offered }) => offered },
    { label: 'requests answered', colour: '#1b6ca8', read: ({ requests }) => requests },
    { label: 'requests failed', colour: '#b00020', read: ({ failed }) => failed },
    { label: 'iterations dropped', colour: '#c2571a', read: ({ dropped }) => dropped },
  ];
  const [top = 0] = TOPS;
  const scale = scaleLinear([0, highest(timeline, series)], [top + PANEL_HEIGHT, top]).nice(4);
  return { title: 'per second', top, scale, ticks: scale.ticks(4), series };
}

function latencyPanel(timeline: readonly TimelineSecond[]): Panel {
  const ops = [...new Set(timeline.flatMap(({ latency }) => Object.keys(latency)))].toSorted();
  const series = ops.flatMap((op, at): Series[] => {
    const colour = COLOURS[at % COLOURS.length] ?? 'black';
    return [
      { label: `${op} p99`, colour, read: ({ latency }) => latency[op]?.p99 },
      { label: `${op} p50`, colour, isDashed: true, read: ({ latency }) => latency[op]?.p50 },
    ];
  });
  const top = TOPS[1] ?? 0;
  const decades = Math.max(1, Math.ceil(Math.log10(highest(timeline, series))));
  const scale = scaleLog([0.1, 10 ** decades], [top + PANEL_HEIGHT, top]).clamp(true);
  const ticks = Array.from({ length: decades + 2 }, (_, at) => 10 ** (at - 1));
  return { title: 'latency, ms', top, scale, ticks, series };
}

function highest(timeline: readonly TimelineSecond[], series: readonly Series[]): number {
  return timeline.reduce((most, second) => series.reduce((max, { read }) => Math.max(max, read(second) ?? 0), most), 1);
}

function drawPanel(panel: Panel, timeline: readonly TimelineSecond[], time: Scale): string[] {
  const bottom = panel.top + PANEL_HEIGHT;
  const grid = panel.ticks.flatMap((tick) => [
    `<line x1="${LEFT}" x2="${RIGHT}" y1="${place(panel.scale, tick)}" y2="${place(panel.scale, tick)}" stroke="#e5e7eb"/>`,
    text(LEFT - 8, place(panel.scale, tick) + 4, String(tick), 'text-anchor="end"'),
  ]);
  const seconds = time.ticks(8).filter(Number.isInteger);
  const labels = seconds.map((tick) => text(place(time, tick), bottom + 18, String(tick), 'text-anchor="middle"'));
  const legend = panel.series.flatMap(({ label, colour, isDashed }, index) => {
    const y = panel.top + 6 + index * 18;
    return [
      `<line x1="${RIGHT + 14}" x2="${RIGHT + 38}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"${dashes(isDashed)}/>`,
      text(RIGHT + 44, y + 4, label),
    ];
  });
  const lines = panel.series.map(({ read, colour, isDashed }) => {
    const path = line<TimelineSecond>()
      .defined((second) => read(second) !== undefined)
      .x(({ second }) => place(time, second))
      .y((second) => place(panel.scale, read(second) ?? 0))(timeline);
    return `<path d="${path ?? ''}" fill="none" stroke="${colour}" stroke-width="1.5"${dashes(isDashed)}/>`;
  });
  return [text(LEFT, panel.top - 10, panel.title, 'font-weight="bold"'), ...grid, ...labels, ...lines, ...legend];
}

function place(scale: Scale, value: number): number {
  return Math.round(scale(value) * 10) / 10;
}

function dashes(isDashed = false): string {
  return isDashed ? ' stroke-dasharray="4 3"' : '';
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
