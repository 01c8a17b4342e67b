/** How long a route of this process took so far. */
export interface EndpointStatistics {
  method: string;
  /** the route's pattern, e.g. `/v1/skiers/:skierId/rides` */
  route: string;
  count: number;
  totalMs: number;
  maxMs: number;
}

interface Series extends EndpointStatistics {
  status: number;
  /** one for each bucket, not yet summed up, and one for what is above them all */
  counts: number[];
}

const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000];

const NAME = 'liftline_http_request_seconds';

/**
 * `liftline_http_request_seconds`. Counted in plain numbers and made into prom-client's form when it is read: 0.1 µs a
 * request, where its own `Histogram.observe` takes 2.
 */
export class RequestHistogram {
  readonly name = NAME;
  /** by route: the handful of methods and statuses of one is searched */
  readonly #series = new Map<string, Series[]>();

  /** Notes one answered request. */
  record(method: string, route: string, status: number, ms: number): void {
    const ofRoute = this.#series.get(route) ?? this.#addRoute(route);
    let series = ofRoute.find((one) => one.status === status && one.method === method);
    if (!series) {
      const counts = Array.from({ length: BUCKETS_MS.length + 1 }, () => 0);
      series = { method, route, status, count: 0, totalMs: 0, maxMs: 0, counts };
      ofRoute.push(series);
    }
    let bucket = 0;
    while (bucket < BUCKETS_MS.length && ms > (BUCKETS_MS[bucket] as number)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.count += 1;
    series.totalMs += ms;
    if (ms > series.maxMs) series.maxMs = ms;
  }

  /** @returns the routes that were asked since the start, whatever they answered */
  endpoints(): EndpointStatistics[] {
    const byMethod = Map.groupBy([...this.#series.values()].flat(), ({ method, route }) => `${method} ${route}`);
    return [...byMethod.values()].map((parts) => {
      const { method, route } = parts[0] as Series;
      const sum = (of: (part: Series) => number) => parts.reduce((total, part) => total + of(part), 0);
      const maxMs = Math.max(...parts.map((part) => part.maxMs));
      return { method, route, count: sum(({ count }) => count), totalMs: sum(({ totalMs }) => totalMs), maxMs };
    });
  }

  /** What a registry reads. */
  async get() {
    return {
      name: NAME,
      help: 'Time to answer a request, by route and status',
      type: 'histogram',
      aggregator: 'sum',
      values: [...this.#series.values()].flat().flatMap(valuesOf),
    };
  }

  #addRoute(route: string): Series[] {
    const added: Series[] = [];
    this.#series.set(route, added);
    return added;
  }
}

/** Buckets are cumulative there. */
function valuesOf({ method, route, status, counts, count, totalMs }: Series) {
  const labels = { method, route, status: String(status) };
  let below = 0;
  const buckets = BUCKETS_MS.map((ms, i) => {
    below += counts[i] as number;
    return { metricName: `${NAME}_bucket`, labels: { le: ms / 1000, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${NAME}_sum`, labels, value: totalMs / 1000 },
    { metricName: `${NAME}_count`, labels, value: count },
  ];
}
