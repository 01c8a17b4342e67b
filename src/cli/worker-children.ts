import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AggregatorRegistry } from 'prom-client';
import type { WorkerPool } from '../../workers/supervisor.ts';
import type { MetricValues } from '../../workers/worker-report.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import { type RestartCause, type WorkerPlan, WorkerProcess } from './worker-process.ts';

export interface WorkerChildrenOptions extends WorkerPlan {
  /** how many at first */
  count: number;
  lifecycle: Lifecycle;
  onRestart?: (cause: RestartCause) => void;
}

/** What the processes of `up` and `workers` run. */
export const WORKER_PROGRAM = { program: fileURLToPath(new URL('main.ts', import.meta.url)), args: ['worker'] };
const CHECK_MS = 1_000;
const MANY = 10;

/** The worker processes that live and die with this one, in any number: see {@link WorkerProcess} for each of them. */
export class WorkerChildren implements WorkerPool {
  readonly #o: WorkerChildrenOptions;
  readonly #check: NodeJS.Timeout;
  readonly #places: WorkerProcess[] = [];
  /** those that drain, since the pool shrank */
  readonly #leaving = new Set<WorkerProcess>();
  /** what those that ended had counted: a sum must not go down because a worker went */
  readonly #counted: MetricValues[][] = [];
  #isAdding = false;
  #lastNumber = 0;
  #checkedAt = performance.now();

  constructor(o: WorkerChildrenOptions) {
    this.#o = o;
    o.lifecycle.onStop('workers', () => this.stop());
    this.#check = setInterval(() => this.#checkProgress(), CHECK_MS);
    this.resize(o.count);
  }

  /** how many there are to be */
  get size(): number {
    return this.#places.length;
  }

  /** how many are ready */
  get ready(): number {
    return this.#places.filter(({ report }) => report?.ready === true).length;
  }

  /** Starts more of them, or lets the last ones drain and end. */
  resize(count: number): void {
    while (this.#places.length < count) {
      this.#lastNumber += 1;
      const place = new WorkerProcess(this.#lastNumber, this.#o, {
        onRestart: (cause) => this.#o.onRestart?.(cause),
        onEnd: ({ metrics }) => {
          this.#counted.push(metrics.filter(({ type }) => ['counter', 'histogram'].includes(String(type))));
          void this.#addUp();
        },
      });
      this.#places.push(place);
      place.start();
    }
    for (const place of this.#places.splice(count)) {
      this.#leaving.add(place);
      void place.stop().finally(() => this.#leaving.delete(place));
    }
  }

  /** @returns the last metrics of each one that runs, and what those that ended had counted */
  metrics(): MetricValues[][] {
    const running = [...this.#places, ...this.#leaving].flatMap(({ report }) => (report ? [report.metrics] : []));
    return [...running, ...this.#counted];
  }

  /** @returns true when all run, or what is missing */
  isReady(): true | string {
    for (const { number, report } of this.#places) {
      if (!report) return `worker ${number} is starting`;
      if (report.ready !== true) return `worker ${number}: ${report.ready}`;
    }
    return true;
  }

  /** Waits until all run, at most `timeoutMs`. */
  async untilReady(timeoutMs: number): Promise<void> {
    const everyOne = Promise.all(this.#places.map((place) => place.whenReady));
    await Promise.race([everyOne, delay(timeoutMs, undefined, { ref: false })]);
  }

  /** Lets all of them drain, and kills those that take longer than `stopMs`. */
  async stop(): Promise<void> {
    clearInterval(this.#check);
    await Promise.all([...this.#places, ...this.#leaving].map((place) => place.stop()));
  }

  kill(): void {
    clearInterval(this.#check);
    for (const place of [...this.#places, ...this.#leaving]) place.kill();
  }

  #checkProgress(): void {
    const now = performance.now();
    const stoodStill = now - this.#checkedAt > 3 * CHECK_MS;
    this.#checkedAt = now;
    for (const place of this.#places) {
      if (stoodStill) place.excuseSilence(now);
      else place.checkProgress(now);
    }
  }

  /** Many that ended become one, so that the list stays short. */
  async #addUp(): Promise<void> {
    if (this.#isAdding || this.#counted.length < MANY) return;
    this.#isAdding = true;
    const taken = [...this.#counted];
    const sum = await AggregatorRegistry.aggregate(taken).getMetricsAsJSON();
    this.#counted.splice(0, taken.length, sum);
    this.#isAdding = false;
  }
}
