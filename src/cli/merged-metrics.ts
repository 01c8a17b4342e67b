import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client';

/** @returns the Prometheus text of several processes as one: counters, gauges and histograms are added up */
export async function mergedMetrics(own: Registry, others: MetricObject[][]): Promise<string> {
  const all = [await own.getMetricsAsJSON(), ...others];
  return AggregatorRegistry.aggregate(all).metrics();
}
