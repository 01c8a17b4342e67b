import type { Metric, MetricRegistry, Tags } from './metric-registry.ts';
import type { Aggregate, Sink } from './sinks.ts';
import { Unsupported } from './unsupported.ts';

/** A condition that a run must meet, ready to be asked. */
export interface Threshold {
  /** as in the script: a metric, perhaps with tags */
  metric: string;
  /** as in the script */
  expression: string;
  /** whether its metric holds milliseconds */
  isTime: boolean;
  sink: Sink;
  aggregate: Aggregate;
  isMet: (value: number) => boolean;
}

export interface ThresholdResult {
  metric: string;
  expression: string;
  /** what was measured */
  value: number;
  ok: boolean;
}

const SELECTOR = /^([A-Za-z_]\w*)(?:\{(.+)\})?$/;
const EXPRESSION =
  /^\s*(count|rate|value|avg|min|max|med|p\(\s*(\d+(?:\.\d+)?)\s*\))\s*(<=|>=|===?|!=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/;

/**
 * Reads a script's thresholds and starts collecting for them.
 *
 * @throws Error for one that k6 would refuse too: no such metric, no such aggregate of it, unreadable
 */
export function readThresholds(of: Readonly<Record<string, readonly string[]>>, metrics: MetricRegistry): Threshold[] {
  return Object.entries(of).flatMap(([selector, expressions]) => {
    const { metric, tags } = readSelector(selector, metrics);
    const sink = tags ? metric.part(tags) : metric.sink;
    return expressions.map((expression) => readThreshold(selector, expression, metric, sink));
  });
}

/** @param elapsedMs how long the scenarios ran */
export function evaluate(thresholds: readonly Threshold[], elapsedMs: number): ThresholdResult[] {
  return thresholds.map(({ metric, expression, sink, aggregate, isMet }) => {
    const value = sink.read(aggregate, elapsedMs) ?? 0;
    return { metric, expression, value, ok: isMet(value) };
  });
}

function readSelector(selector: string, metrics: MetricRegistry): { metric: Metric; tags: Tags | undefined } {
  const [, name = '', inBraces] = SELECTOR.exec(selector) ?? [];
  const metric = metrics.get(name);
  if (!metric) throw new Error(`threshold on "${selector}": there is no such metric`);
  if (inBraces === undefined) return { metric, tags: undefined };
  const pairs = inBraces.split(',').map((pair) => {
    const [tag = '', ...value] = pair.split(':');
    if (tag.trim() === '' || value.length === 0) throw new Error(`threshold on "${selector}": tags are {name:value}`);
    return [tag.trim(), value.join(':').trim()];
  });
  return { metric, tags: Object.fromEntries(pairs) as Tags };
}

function readThreshold(selector: string, expression: string, metric: Metric, sink: Sink): Threshold {
  const [, named = '', percent, operator = '', limit] = EXPRESSION.exec(expression) ?? [];
  if (named === '') throw new Unsupported(`the threshold "${expression}" on ${selector}`);
  const aggregate = percent === undefined ? (named as Aggregate) : { percentile: Number(percent) };
  if (sink.read(aggregate, 1) === undefined) {
    throw new Error(`threshold "${expression}" on ${selector}: a ${metric.type} has no ${named}`);
  }
  const isMet = (value: number) => compare(value, operator, Number(limit));
  return { metric: selector, expression, isTime: metric.isTime, sink, aggregate, isMet };
}

function compare(value: number, operator: string, limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '!=':
      return value !== limit;
    default:
      return value === limit;
  }
}
