import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** How long a route of this process took so far. */
export interface EndpointStatistics {
  method: string;
  /** the route's pattern, e.g. `/v1/skiers/:skierId/rides` */
  route: string;
  count: number;
  totalMs: number;
  maxMs: number;
}

/** The metrics of one process. Each room declares its own on the registry; what every HTTP process has is here. */
export interface Metrics {
  registry: Registry;
  /** notes one answered request; cheap, since the children of the histogram are kept */
  recordRequest(method: string, route: string, status: number, ms: number): void;
  /** @returns the routes that were asked since the start */
  endpoints(): EndpointStatistics[];
}

const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];

/** @param process the process's name, a label of the metrics that Node itself gives */
export function createMetrics(process: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, labels: { process } });
  const requestSeconds = new Histogram({
    name: 'liftline_http_request_seconds',
    help: 'Time to answer a request, by route and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: LATENCY_BUCKETS_S,
    registers: [registry],
  });
  const series = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>();
  const statistics = new Map<string, EndpointStatistics>();

  return {
    registry,
    endpoints: () => [...statistics.values()],
    recordRequest(method, route, status, ms) {
      const endpoint = `${method} ${route}`;
      const key = `${endpoint} ${status}`;
      let child = series.get(key);
      if (!child) {
        child = requestSeconds.labels({ method, route, status: String(status) });
        series.set(key, child);
      }
      child.observe(ms / 1000);
      let seen = statistics.get(endpoint);
      if (!seen) {
        seen = { method, route, count: 0, totalMs: 0, maxMs: 0 };
        statistics.set(endpoint, seen);
      }
      seen.count += 1;
      seen.totalMs += ms;
      if (ms > seen.maxMs) seen.maxMs = ms;
    },
  };
}
