import type { Machine } from '../machine.ts';
import type { Metric, MetricRegistry } from './metric-registry.ts';
import type { Aggregate } from './sinks.ts';
import type { TestOutcome } from './test-run.ts';

/** Said wherever figures are. */
export const DISCLAIMER = 'Figures are from the k6 stand-in in Node.js (loadtest/k6-on-node), not from k6.';

/** A run as `loadtest/results/*.json` keeps it. */
export interface Report extends Omit<TestOutcome, 'startedAt'> {
  script: string;
  generator: string;
  startedAt: string;
  machine: Machine;
  /** what was loaded */
  target: string;
  passed: boolean;
  metrics: { name: string; type: string; unit: 'ms' | ''; values: Record<string, number> }[];
}

const AGGREGATES: Record<Metric['type'], Record<string, Aggregate>> = {
  counter: { count: 'count', rate: 'rate' },
  gauge: { value: 'value' },
  rate: { rate: 'rate' },
  trend: {
    count: 'count',
    avg: 'avg',
    min: 'min',
    med: 'med',
    'p(95)': { percentile: 95 },
    'p(99)': { percentile: 99 },
    max: 'max',
  },
};

export function makeReport(o: {
  script: string;
  target: string;
  outcome: TestOutcome;
  metrics: MetricRegistry;
  machine: Machine;
}): Report {
  const { outcome } = o;
  const { elapsedMs, thresholds, scriptErrors } = outcome;
  const metrics = o.metrics.all().map(({ name, type, isTime, sink }) => {
    const read = ([label, aggregate]: [string, Aggregate]) => [label, sink.read(aggregate, elapsedMs) ?? 0] as const;
    const values = Object.fromEntries(Object.entries(AGGREGATES[type]).map(read));
    return { name, type, unit: isTime ? ('ms' as const) : ('' as const), values };
  });
  return {
    script: o.script,
    generator: DISCLAIMER,
    ...outcome,
    startedAt: outcome.startedAt.toISOString(),
    machine: o.machine,
    target: o.target,
    passed: thresholds.every(({ ok }) => ok) && Object.keys(scriptErrors).length === 0,
    metrics,
  };
}
