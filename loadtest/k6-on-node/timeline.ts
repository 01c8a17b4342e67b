import type { MetricRegistry, Observer } from './metric-registry.ts';
import { percentileOf } from './sinks.ts';

/** What ended within one second of the run. */
export interface TimelineSecond {
  /** seconds since the start of the load, from 0 */
  second: number;
  /** iterations that started, or would have with a free user */
  offered: number;
  dropped: number;
  /** requests answered, and those of them (and without an answer) that failed */
  requests: number;
  failed: number;
  /** by the `op` tag of the requests, milliseconds */
  latency: Record<string, { p50: number; p99: number }>;
}

interface Open {
  second: number;
  offered: number;
  dropped: number;
  requests: number;
  failed: number;
  durations: Map<string, number[]>;
}

/** Collects what happens second by second; a second's values are let go when the next begins. */
export class Timeline {
  readonly #seconds: TimelineSecond[] = [];
  #startedAt: number | undefined;
  #open: Open = emptySecond(0);

  constructor(metrics: MetricRegistry) {
    metrics.observe((metric, value, tags) => this.#note(metric, value, tags));
  }

  /** The load begins now; nothing before that is kept. */
  start(): void {
    this.#startedAt = performance.now();
  }

  iterationStarted(): void {
    const open = this.#now();
    if (open) open.offered += 1;
  }

  /** The load is over; @returns every second of it */
  end(): TimelineSecond[] {
    this.#now();
    this.#startedAt = undefined;
    return [...this.#seconds, closed(this.#open)];
  }

  readonly #note: Observer = (metric, value, tags) => {
    const open = this.#now();
    if (!open) return;
    if (metric.name === 'dropped_iterations') {
      open.dropped += value;
      open.offered += value;
    } else if (metric.name === 'http_req_failed') {
      open.requests += 1;
      open.failed += value;
    } else if (metric.name === 'http_req_duration') {
      const op = tags.op ?? 'requests';
      const durations = open.durations.get(op);
      if (durations) durations.push(value);
      else open.durations.set(op, [value]);
    }
  };

  /** @returns the second that is now, or undefined outside of the load */
  #now(): Open | undefined {
    if (this.#startedAt === undefined) return undefined;
    const second = Math.floor((performance.now() - this.#startedAt) / 1_000);
    while (this.#open.second < second) {
      this.#seconds.push(closed(this.#open));
      this.#open = emptySecond(this.#open.second + 1);
    }
    return this.#open;
  }
}

function emptySecond(second: number): Open {
  return { second, offered: 0, dropped: 0, requests: 0, failed: 0, durations: new Map() };
}

function closed({ durations, ...counts }: Open): TimelineSecond {
  const latency = Object.fromEntries(
    [...durations].map(([op, values]) => {
      const sorted = values.toSorted((a, b) => a - b);
      return [op, { p50: percentileOf(sorted, 50), p99: percentileOf(sorted, 99) }];
    }),
  );
  return { ...counts, latency };
}
