import { scaleLinear, scaleLog } from 'd3-scale';
import { drawPanel, highest, type Panel, type Series, svg, svgText } from '../chart/panel.ts';
import type { Report } from './report.ts';
import type { TimelineSecond } from './timeline.ts';

const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 64;
const RIGHT = WIDTH - 190;
const PANEL_HEIGHT = 200;
const TOPS = { rate: 80, latency: 340 };
const COLOURS = ['#1b6ca8', '#c2571a', '#2d8a4e', '#8a3ffc', '#6b7280'];

/** The run second by second: what was offered and answered above, latencies on a logarithmic scale below. */
export function drawChart(report: Report): string {
  const { timeline } = report;
  const time = {
    scale: scaleLinear([0, Math.max(1, timeline.length - 1)], [LEFT, RIGHT]),
    read: ({ second }: TimelineSecond) => second,
  };
  const panels = [ratePanel(timeline), latencyPanel(timeline)];
  return svg(WIDTH, HEIGHT, [
    svgText(LEFT, 26, `${report.script} against ${report.target}, ${report.startedAt}`, 'font-size="16"'),
    svgText(LEFT, 46, report.generator, 'fill="#b00020"'),
    ...panels.flatMap((panel) => drawPanel(panel, timeline, time)),
    svgText(RIGHT, HEIGHT - 14, 'seconds', 'text-anchor="end"'),
  ]);
}

function ratePanel(timeline: readonly TimelineSecond[]): Panel<TimelineSecond> {
  const series: Series<TimelineSecond>[] = [
    { label: 'iterations offered', colour: '#6b7280', isDashed: true, read: ({ offered }) => offered },
    { label: 'requests answered', colour: '#1b6ca8', read: ({ requests }) => requests },
    { label: 'requests failed', colour: '#b00020', read: ({ failed }) => failed },
    { label: 'iterations dropped', colour: '#c2571a', read: ({ dropped }) => dropped },
  ];
  const top = TOPS.rate;
  const scale = scaleLinear([0, highest(timeline, series)], [top + PANEL_HEIGHT, top]).nice(4);
  return { title: 'per second', top, height: PANEL_HEIGHT, scale, ticks: scale.ticks(4), series };
}

function latencyPanel(timeline: readonly TimelineSecond[]): Panel<TimelineSecond> {
  const ops = [...new Set(timeline.flatMap(({ latency }) => Object.keys(latency)))].toSorted();
  const series = ops.flatMap((op, at): Series<TimelineSecond>[] => {
    const colour = COLOURS[at % COLOURS.length] ?? 'black';
    return [
      { label: `${op} p99`, colour, read: ({ latency }) => latency[op]?.p99 },
      { label: `${op} p50`, colour, isDashed: true, read: ({ latency }) => latency[op]?.p50 },
    ];
  });
  const top = TOPS.latency;
  const decades = Math.max(1, Math.ceil(Math.log10(highest(timeline, series))));
  const scale = scaleLog([0.1, 10 ** decades], [top + PANEL_HEIGHT, top]).clamp(true);
  const ticks = Array.from({ length: decades + 2 }, (_, at) => 10 ** (at - 1));
  return { title: 'latency, ms', top, height: PANEL_HEIGHT, scale, ticks, series };
}
