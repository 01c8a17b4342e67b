import { Counter, Gauge, type Registry } from 'prom-client';

export interface CacheMetrics {
  /** where an answer came from: this process, the shared tier, a node; `stale` when the node is away */
  count(kind: 'skier' | 'resort', source: 'hit' | 'shared' | 'miss' | 'stale'): void;
  watch(size: () => { entries: number; bytes: number }): void;
}

export function createCacheMetrics(registry: Registry): CacheMetrics {
  const answers = new Counter({
    name: 'liftline_cache_answers_total',
    help: 'Reads by where the answer came from: hit (this process), shared (the second tier), miss (a node), stale (its node is away)',
    labelNames: ['kind', 'source'] as const,
    registers: [registry],
  });
  const series = new Map<string, { inc(): void }>();
  return {
    count(kind, source) {
      const name = `${kind} ${source}`;
      let one = series.get(name);
      if (!one) series.set(name, (one = answers.labels({ kind, source })));
      one.inc();
    },
    watch(size) {
      gauge(registry, 'liftline_cache_entries', 'Answers that this process keeps', () => size().entries);
      gauge(registry, 'liftline_cache_bytes', 'Memory that they take, about', () => size().bytes);
    },
  };
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  const made = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(value());
    },
  });
  registry.registerMetric(made);
}
