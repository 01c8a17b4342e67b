import { scaleLinear } from 'd3-scale';
import { area, curveMonotoneX, line } from 'd3-shape';
import { Temporal } from 'temporal-polyfill';

/** One ride in the chart of a day. */
export interface ClimbRide {
  /** milliseconds since the epoch */
  atMs: number;
  /** metres */
  verticalM: number;
}

/** A day's rides as a line that climbs: places in percent of the chart's width and height, from its upper left corner. */
export interface Climb {
  points: { x: number; y: number; totalM: number }[];
  /** SVG paths in a box of 100 by 100 */
  linePath: string;
  areaPath: string;
  hours: { x: number; atMs: number }[];
  heights: { y: number; units: number }[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** As many as a phone has room for, also with AM and PM. */
const MAX_HOUR_LABELS = 5;
const HEIGHT_TICKS = 3;
/** Above the highest point, so that it does not touch the edge. */
const HEADROOM = 1.12;
const BOX = 100;

/**
 * @param rides one or more, oldest first
 * @param o.timeZone whose full hours the axis shows
 * @param o.heightUnits metres to the unit of the scale
 */
export function climbOf(rides: ClimbRide[], o: { timeZone: string; heightUnits: (metres: number) => number }): Climb {
  const hours = hoursAround(rides, o.timeZone);
  const fromMs = hours[0] ?? 0;
  const toMs = hours.at(-1) ?? 0;
  const x = scaleLinear([fromMs, toMs], [0, BOX]);
  let totalM = 0;
  const totals = rides.map((ride) => {
    totalM += ride.verticalM;
    return { x: x(ride.atMs), totalM };
  });
  const y = scaleLinear([0, o.heightUnits(Math.max(totalM, 1)) * HEADROOM], [BOX, 0]);
  const points = totals.map((point) => ({ ...point, y: y(o.heightUnits(point.totalM)) }));
  const path = [{ x: x(startOf(rides)), y: BOX }, ...points];
  return {
    points,
    linePath: line(xOf, yOf).curve(curveMonotoneX).digits(2)(path) ?? '',
    areaPath: area(xOf, BOX, yOf).curve(curveMonotoneX).digits(2)(path) ?? '',
    hours: labelled(hours).map((atMs) => ({ x: x(atMs), atMs })),
    heights: y
      .ticks(HEIGHT_TICKS)
      .filter((units) => units > 0)
      .map((units) => ({ y: y(units), units })),
  };
}

type Place = { x: number; y: number };
const xOf = ({ x }: Place) => x;
const yOf = ({ y }: Place) => y;

/** The line starts on the ground a little before the first ride. */
function startOf(rides: ClimbRide[]): number {
  return (rides[0]?.atMs ?? 0) - 8 * MINUTE_MS;
}

/** @returns the full hours of local time from before the first ride until after the last one */
function hoursAround(rides: ClimbRide[], timeZone: string): number[] {
  const local = Temporal.Instant.fromEpochMilliseconds(startOf(rides)).toZonedDateTimeISO(timeZone);
  const first = local.round({ smallestUnit: 'hour', roundingMode: 'floor' }).epochMilliseconds;
  const lastMs = Math.max(...rides.map(({ atMs }) => atMs));
  const count = Math.floor((lastMs - first) / HOUR_MS) + 2;
  return Array.from({ length: count }, (_, i) => first + i * HOUR_MS);
}

/** @returns as many of the hours as there is room for, at equal steps */
function labelled(hours: number[]): number[] {
  const step = Math.ceil((hours.length - 1) / MAX_HOUR_LABELS);
  return hours.filter((_, i) => i % step === 0);
}
