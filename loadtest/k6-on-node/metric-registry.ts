import { createSink, type MetricType, type Sink } from './sinks.ts';

export type Tags = Readonly<Record<string, string>>;

/** One metric, and the parts of it that thresholds look at on their own. */
export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  /** whether its values are milliseconds */
  readonly isTime: boolean;
  readonly sink: Sink;
  add(value: number, tags: Tags): void;
  /** @returns the sink of the values that carry all of these tags, from now on */
  part(tags: Tags): Sink;
}

/** Told of every value, as it comes. */
export type Observer = (metric: Metric, value: number, tags: Tags) => void;

/** The metrics of k6 itself that the stand-in measures too. */
const BUILT_IN = {
  http_reqs: ['counter', false],
  http_req_duration: ['trend', true],
  http_req_failed: ['rate', false],
  checks: ['rate', false],
  iterations: ['counter', false],
  iteration_duration: ['trend', true],
  dropped_iterations: ['counter', false],
} as const satisfies Record<string, readonly [MetricType, boolean]>;

export type BuiltIn = Record<keyof typeof BUILT_IN, Metric>;

export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();
  readonly #observers: Observer[] = [];
  readonly builtIn: BuiltIn;

  constructor() {
    const entries = Object.entries(BUILT_IN).map(([name, [type, isTime]]) => [name, this.declare(name, type, isTime)]);
    this.builtIn = Object.fromEntries(entries) as BuiltIn;
  }

  /** @returns the metric; the same one when two modules declare it alike; @throws Error when they don't */
  declare(name: string, type: MetricType, isTime: boolean): Metric {
    const known = this.#metrics.get(name);
    if (known && (known.type !== type || known.isTime !== isTime)) {
      throw new Error(`metric ${name} is already a ${known.type}${known.isTime ? ' of times' : ''}`);
    }
    const metric = known ?? this.#create(name, type, isTime);
    this.#metrics.set(name, metric);
    return metric;
  }

  get(name: string): Metric | undefined {
    return this.#metrics.get(name);
  }

  all(): Metric[] {
    return [...this.#metrics.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  #create(name: string, type: MetricType, isTime: boolean): Metric {
    const sink = createSink(type);
    const parts: { tags: [string, string][]; sink: Sink }[] = [];
    const metric: Metric = {
      name,
      type,
      isTime,
      sink,
      add: (value, tags) => {
        sink.add(value);
        for (const part of parts) if (part.tags.every(([tag, wanted]) => tags[tag] === wanted)) part.sink.add(value);
        for (const observer of this.#observers) observer(metric, value, tags);
      },
      part: (tags) => {
        const part = { tags: Object.entries(tags), sink: createSink(type) };
        parts.push(part);
        return part.sink;
      },
    };
    return metric;
  }
}
