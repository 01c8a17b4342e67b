// The module `k6/metrics` as a script sees it.
import type { Metric, Tags } from '../metric-registry.ts';
import { currentCaller, currentSession } from '../session.ts';
import type { MetricType } from '../sinks.ts';
import { Unsupported } from '../unsupported.ts';

class CustomMetric {
  readonly name: string;
  readonly #metric: Metric;

  constructor(type: MetricType, name: string, isTime: boolean) {
    if (currentCaller().phase !== 'init') throw new Unsupported(`new ${type} "${name}" after the script was loaded`);
    this.name = name;
    this.#metric = currentSession().metrics.declare(name, type, isTime);
  }

  add(value: number | boolean, tags: Tags = {}): void {
    this.#metric.add(Number(value), { ...currentCaller().tags, ...tags });
  }
}

export class Counter extends CustomMetric {
  constructor(name: string, isTime = false) {
    super('counter', name, isTime);
  }
}

export class Gauge extends CustomMetric {
  constructor(name: string, isTime = false) {
    super('gauge', name, isTime);
  }
}

export class Rate extends CustomMetric {
  constructor(name: string, isTime = false) {
    super('rate', name, isTime);
  }
}

export class Trend extends CustomMetric {
  constructor(name: string, isTime = false) {
    super('trend', name, isTime);
  }
}
