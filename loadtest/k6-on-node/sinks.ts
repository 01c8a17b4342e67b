export type MetricType = 'counter' | 'gauge' | 'rate' | 'trend';

/** What a threshold or the summary may ask of a metric; a percentile is 0 to 100. */
export type Aggregate = 'count' | 'rate' | 'value' | 'avg' | 'min' | 'max' | 'med' | { percentile: number };

/** Where the values of one metric end up. Without any value every aggregate is 0, as in k6. */
export interface Sink {
  add(value: number): void;
  /** @param elapsedMs of the run, for rates per second; @returns undefined when this type of metric has no such aggregate */
  read(aggregate: Aggregate, elapsedMs: number): number | undefined;
}

const SINKS: Record<MetricType, () => Sink> = {
  counter: () => new CounterSink(),
  gauge: () => new GaugeSink(),
  rate: () => new RateSink(),
  trend: () => new TrendSink(),
};

export function createSink(type: MetricType): Sink {
  return SINKS[type]();
}

class CounterSink implements Sink {
  #sum = 0;
  add(value: number): void {
    this.#sum += value;
  }
  read(aggregate: Aggregate, elapsedMs: number): number | undefined {
    if (aggregate === 'count') return this.#sum;
    return aggregate === 'rate' ? perSecond(this.#sum, elapsedMs) : undefined;
  }
}

class GaugeSink implements Sink {
  #value = 0;
  add(value: number): void {
    this.#value = value;
  }
  read(aggregate: Aggregate): number | undefined {
    return aggregate === 'value' ? this.#value : undefined;
  }
}

class RateSink implements Sink {
  #trues = 0;
  #total = 0;
  add(value: number): void {
    this.#total += 1;
    if (value !== 0) this.#trues += 1;
  }
  read(aggregate: Aggregate): number | undefined {
    if (aggregate !== 'rate') return undefined;
    return this.#total === 0 ? 0 : this.#trues / this.#total;
  }
}

/** Keeps every value: 8 bytes each, so that percentiles are exact however few or many there are. */
class TrendSink implements Sink {
  #values = new Float64Array(1_024);
  #count = 0;
  #sum = 0;
  #isSorted = true;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
    this.#sum += value;
    this.#isSorted = false;
  }

  read(aggregate: Aggregate): number | undefined {
    if (typeof aggregate === 'object') return this.#percentile(aggregate.percentile);
    if (aggregate === 'avg') return this.#count === 0 ? 0 : this.#sum / this.#count;
    if (aggregate === 'min') return this.#percentile(0);
    if (aggregate === 'med') return this.#percentile(50);
    if (aggregate === 'max') return this.#percentile(100);
    return aggregate === 'count' ? this.#count : undefined;
  }

  #percentile(percent: number): number {
    if (!this.#isSorted) this.#values.subarray(0, this.#count).sort();
    this.#isSorted = true;
    return percentileOf(this.#values.subarray(0, this.#count), percent);
  }
}

/**
 * @param sorted ascending
 * @param percent 0 to 100
 * @returns the percentile, between its neighbours in proportion; 0 of nothing
 */
export function percentileOf(sorted: ArrayLike<number>, percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  const above = sorted[Math.ceil(at)] ?? 0;
  return below + (above - below) * (at - Math.floor(at));
}

export function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (count * 1_000) / elapsedMs : 0;
}
