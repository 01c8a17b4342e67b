import { scaleLinear } from 'd3-scale';
import { drawPanel, highest, type Panel, place, type Series, svg, svgText, type TimeAxis } from '../chart/panel.ts';
import type { FaultRun } from './runner.ts';
import type { Mark, Sample } from './timeline.ts';

/** What happened in the second before. */
interface Moment {
  atS: number;
  ackedPerS: number;
  persistedPerS: number;
  unconfirmedPerS: number;
  backlog: number | undefined;
}

const WIDTH = 1_060;
const HEIGHT = 640;
const LEFT = 64;
const RIGHT = WIDTH - 190;
/** The marks' texts stand upright above the panels. */
const MARKS = { top: 50, bottom: 226, most: 40 };
const RATE = { top: 250, height: 150 };
const BACKLOG = { top: 450, height: 150 };

/** Throughput and backlog over time, with a line for whatever was done. */
export function drawTimeline({ fault, summary, setting, samples, marks }: FaultRun): string {
  const moments = momentsOf(samples);
  const endS = Math.max(1, moments.at(-1)?.atS ?? 1, marks.at(-1)?.atS ?? 1);
  const time: TimeAxis<Moment> = { scale: scaleLinear([0, endS], [LEFT, RIGHT]), read: ({ atS }) => atS };
  const title = setting === undefined ? fault : `${fault}, negative control: ${setting}`;
  return svg(WIDTH, HEIGHT, [
    svgText(LEFT, 22, title, 'font-size="16"'),
    svgText(LEFT, 40, summary, 'fill="#6b7280"'),
    ...drawMarks(marks, time),
    ...drawPanel(ratePanel(moments), moments, time),
    ...drawPanel(backlogPanel(moments), moments, time),
    svgText(RIGHT, HEIGHT - 4, 'seconds', 'text-anchor="end"'),
  ]);
}

/** @returns one for each sample that has another about a second before it */
export function momentsOf(samples: readonly Sample[]): Moment[] {
  let from = 0;
  return samples.flatMap((sample) => {
    while ((samples[from + 1]?.atS ?? sample.atS) <= sample.atS - 1) from += 1;
    const before = samples[from];
    const seconds = sample.atS - (before?.atS ?? sample.atS);
    if (!before || seconds < 1) return [];
    const perS = (read: (of: Sample) => number) => Math.max(0, (read(sample) - read(before)) / seconds);
    return [
      {
        atS: sample.atS,
        ackedPerS: perS(({ acked }) => acked),
        persistedPerS: perS(({ persisted }) => persisted),
        unconfirmedPerS: perS(({ unconfirmed }) => unconfirmed),
        backlog: sample.backlog ?? undefined,
      },
    ];
  });
}

function ratePanel(moments: readonly Moment[]): Panel<Moment> {
  const series: Series<Moment>[] = [
    { label: 'acked', colour: '#1b6ca8', read: ({ ackedPerS }) => ackedPerS },
    { label: 'persisted', colour: '#2d8a4e', read: ({ persistedPerS }) => persistedPerS },
    { label: 'not confirmed', colour: '#b00020', read: ({ unconfirmedPerS }) => unconfirmedPerS },
  ];
  return panelOf('scans a second', RATE, moments, series);
}

function backlogPanel(moments: readonly Moment[]): Panel<Moment> {
  const series: Series<Moment>[] = [{ label: 'in flight', colour: '#c2571a', read: ({ backlog }) => backlog }];
  return panelOf('backlog, scans (none shown while the queue is away)', BACKLOG, moments, series);
}

function panelOf(
  title: string,
  { top, height }: { top: number; height: number },
  moments: readonly Moment[],
  series: readonly Series<Moment>[],
): Panel<Moment> {
  const scale = scaleLinear([0, highest(moments, series)], [top + height, top]).nice(4);
  return { title, top, height, scale, ticks: scale.ticks(4), series };
}

function drawMarks(marks: readonly Mark[], time: TimeAxis<Moment>): string[] {
  const bottom = BACKLOG.top + BACKLOG.height;
  return marks.flatMap(({ atS, text }, at) => {
    const x = place(time.scale, atS);
    const y = MARKS.bottom;
    const line = `<line x1="${x}" x2="${x}" y1="${y + 4}" y2="${bottom}" stroke="#8a3ffc" stroke-opacity="0.35"/>`;
    const attributes = `font-size="10" fill="#8a3ffc" transform="rotate(-90 ${x + 3} ${y})"`;
    return at < MARKS.most ? [line, svgText(x + 3, y, text, attributes)] : [line];
  });
}
