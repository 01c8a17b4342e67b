import type { ScaleContinuousNumeric } from 'd3-scale';
import { line } from 'd3-shape';

export type Scale = ScaleContinuousNumeric<number, number>;

export interface Series<T> {
  label: string;
  colour: string;
  isDashed?: boolean;
  /** @returns undefined where there is none */
  read: (row: T) => number | undefined;
}

/** Lines over one time axis, with a grid and a legend at their right. */
export interface Panel<T> {
  title: string;
  /** pixels */
  top: number;
  height: number;
  scale: Scale;
  ticks: readonly number[];
  series: readonly Series<T>[];
}

export interface TimeAxis<T> {
  /** seconds to pixels; its range is the panels' width */
  scale: Scale;
  read: (row: T) => number;
}

/** @returns SVG elements */
export function drawPanel<T>(panel: Panel<T>, rows: readonly T[], time: TimeAxis<T>): string[] {
  const [left = 0, right = 0] = time.scale.range();
  const bottom = panel.top + panel.height;
  const grid = panel.ticks.flatMap((tick) => [
    `<line x1="${left}" x2="${right}" y1="${place(panel.scale, tick)}" y2="${place(panel.scale, tick)}" stroke="#e5e7eb"/>`,
    svgText(left - 8, place(panel.scale, tick) + 4, String(tick), 'text-anchor="end"'),
  ]);
  const seconds = time.scale.ticks(8).filter(Number.isInteger);
  const labels = seconds.map((tick) =>
    svgText(place(time.scale, tick), bottom + 18, String(tick), 'text-anchor="middle"'),
  );
  const legend = panel.series.flatMap(({ label, colour, isDashed }, index) => {
    const y = panel.top + 6 + index * 18;
    return [
      `<line x1="${right + 14}" x2="${right + 38}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"${dashes(isDashed)}/>`,
      svgText(right + 44, y + 4, label),
    ];
  });
  const lines = panel.series.map(({ read, colour, isDashed }) => {
    const path = line<T>()
      .defined((row) => read(row) !== undefined)
      .x((row) => place(time.scale, time.read(row)))
      .y((row) => place(panel.scale, read(row) ?? 0))([...rows]);
    return `<path d="${path ?? ''}" fill="none" stroke="${colour}" stroke-width="1.5"${dashes(isDashed)}/>`;
  });
  return [svgText(left, panel.top - 10, panel.title, 'font-weight="bold"'), ...grid, ...labels, ...lines, ...legend];
}

/** @returns the largest value of any series, 1 at least */
export function highest<T>(rows: readonly T[], series: readonly Series<T>[]): number {
  return rows.reduce((most, row) => series.reduce((max, { read }) => Math.max(max, read(row) ?? 0), most), 1);
}

/** The whole picture. */
export function svg(width: number, height: number, elements: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...elements,
    '</svg>',
    '',
  ].join('\n');
}

export function svgText(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}

/** @returns pixels, to a tenth */
export function place(scale: Scale, value: number): number {
  return Math.round(scale(value) * 10) / 10;
}

function dashes(isDashed = false): string {
  return isDashed ? ' stroke-dasharray="4 3"' : '';
}
