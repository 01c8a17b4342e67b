import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** One metric with its values, as a registry gives it out. */
export type MetricValues = MetricObjectWithValues<MetricValue<string>>;

/** What a worker process tells the process that started it, once a second, from its start on. */
export interface WorkerReport {
  /** true, or what is missing */
  ready: true | string;
  /** true, or in what way it is stuck */
  live: true | string;
  metrics: MetricValues[];
}

/** @returns the scans that these workers have stored, found stored or given up */
export function settledScans(workers: readonly MetricValues[][]): number {
  return valuesOf(workers, 'liftline_worker_scans_total').reduce((sum, { value }) => sum + value, 0);
}

/** @returns the lanes of which a worker says that they wait for a node */
export function heldLanes(workers: readonly MetricValues[][]): Set<number> {
  const held = valuesOf(workers, 'liftline_lane_held').filter(({ value }) => value > 0);
  return new Set(held.map(({ labels }) => Number(labels.lane)));
}

function valuesOf(workers: readonly MetricValues[][], name: string): MetricValue<string>[] {
  return workers.flatMap((metrics) => metrics.filter((metric) => metric.name === name).flatMap(({ values }) => values));
}
