import { Counter, Gauge, type Registry } from 'prom-client';

const KINDS = ['skier', 'resort'] as const;
const SOURCES = ['hit', 'shared', 'miss', 'stale'] as const;
type Kind = (typeof KINDS)[number];
type Source = (typeof SOURCES)[number];

export interface CacheMetrics {
  /** where an answer came from: this process, the shared tier, a node; `stale` when the node is away */
  count(kind: Kind, source: Source): void;
  watch(size: () => { entries: number; bytes: number }): void;
}

const NONE: Readonly<Record<Source, number>> = { hit: 0, shared: 0, miss: 0, stale: 0 };

/** Counted in plain numbers, which become prom-client's when they are read: a hit is answered in a few microseconds. */
export function createCacheMetrics(registry: Registry): CacheMetrics {
  const counts = { skier: { ...NONE }, resort: { ...NONE } };
  const answers = new Counter({
    name: 'liftline_cache_answers_total',
    help: 'Reads by where the answer came from: hit (this process), shared (the second tier), miss (a node), stale (its node is away)',
    labelNames: ['kind', 'source'] as const,
    registers: [],
    collect() {
      this.reset();
      for (const kind of KINDS) for (const source of SOURCES) this.inc({ kind, source }, counts[kind][source]);
    },
  });
  registry.registerMetric(answers);
  return {
    count(kind, source) {
      counts[kind][source] += 1;
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
