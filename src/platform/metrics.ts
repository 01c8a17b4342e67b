import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { type EndpointStatistics, RequestHistogram } from './request-histogram.ts';

export type { EndpointStatistics } from './request-histogram.ts';

/** The metrics of one process. Each room declares its own on the registry; what every HTTP process has is here. */
export interface Metrics {
  registry: Registry;
  /** notes one answered request, on every path: cheap */
  recordRequest(method: string, route: string, status: number, ms: number): void;
  /** @returns the routes that were asked since the start */
  endpoints(): EndpointStatistics[];
}

/** @param process the process's name, a label of the metrics that Node itself gives */
export function createMetrics(process: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, labels: { process } });
  const requests = new RequestHistogram();
  // a registry asks for `name` and `get`, the types of prom-client for one of its own classes
  registry.registerMetric(requests as unknown as Metric);
  return {
    registry,
    recordRequest: (method, route, status, ms) => requests.record(method, route, status, ms),
    endpoints: () => requests.endpoints(),
  };
}
