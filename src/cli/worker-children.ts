import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MetricObject } from 'prom-client';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';

/** What a worker process tells the process that started it, once a second. */
export interface WorkerReport {
  ready: true | string;
  metrics: MetricObject[];
}

export interface WorkerChildrenOptions {
  count: number;
  env: Record<string, string | undefined>;
  logger: Logger;
  lifecycle: Lifecycle;
  /** milliseconds between asking them to stop and killing them */
  stopMs: number;
}

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
/** As in the launcher, whatever started this process. */
const NODE_FLAGS = ['--max-semi-space-size=16'];
const FIRST_RESTART_MS = 200;
const MAX_RESTART_MS = 5_000;
/** One that ran this long starts again at once when it dies. */
const HEALTHY_MS = 30_000;

/**
 * Worker processes that live and die with this one: each drains and ends when its channel to us closes, which also happens
 * when we are killed. One that ends by itself is started again, ever more slowly while it keeps failing.
 */
export class WorkerChildren {
  readonly #o: WorkerChildrenOptions;
  readonly #slots: Slot[];

  constructor(o: WorkerChildrenOptions) {
    this.#o = o;
    this.#slots = Array.from({ length: o.count }, (_, i) => new Slot(i + 1, o));
    o.lifecycle.onStop('workers', () => this.stop());
    for (const slot of this.#slots) slot.start();
  }

  /** @returns the last metrics of each one that runs */
  metrics(): MetricObject[][] {
    return this.#slots.flatMap((slot) => (slot.report ? [slot.report.metrics] : []));
  }

  /** @returns true when all run, or what is missing */
  ready(): true | string {
    for (const { number, report } of this.#slots) {
      if (!report) return `worker ${number} is starting`;
      if (report.ready !== true) return `worker ${number}: ${report.ready}`;
    }
    return true;
  }

  /** Waits until all run, at most `timeoutMs`. */
  async untilReady(timeoutMs: number): Promise<void> {
    const everyOne = Promise.all(this.#slots.map((slot) => slot.whenReady));
    await Promise.race([everyOne, delay(timeoutMs, undefined, { ref: false })]);
  }

  /** Lets all of them drain, and kills those that take longer than `stopMs`. */
  async stop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop(this.#o.stopMs)));
  }

  kill(): void {
    for (const slot of this.#slots) slot.kill();
  }
}

class Slot {
  readonly number: number;
  report: WorkerReport | undefined;
  /** resolves when it has been ready for the first time */
  readonly whenReady: Promise<void>;
  readonly #o: WorkerChildrenOptions;
  readonly #wasReady: () => void;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #isStopping = false;
  #failures = 0;

  constructor(number: number, o: WorkerChildrenOptions) {
    this.number = number;
    this.#o = o;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.whenReady = promise;
    this.#wasReady = resolve;
  }

  start(): void {
    const startedAt = performance.now();
    const child = fork(MAIN, ['worker'], {
      env: this.#o.env,
      execArgv: NODE_FLAGS,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (report) => {
      this.report = report as WorkerReport;
      if (this.report.ready === true) this.#wasReady();
    });
    child.on('error', (error) => this.#o.logger.error({ err: error, worker: this.number }, 'worker process'));
    child.once('exit', (code, signal) => {
      this.report = undefined;
      this.#child = undefined;
      if (!this.#isStopping) this.#startAgain(performance.now() - startedAt, { code, signal });
    });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    const hard = setTimeout(() => {
      this.#o.logger.warn({ worker: this.number }, 'worker did not drain in time');
      child.kill('SIGKILL');
    }, deadlineMs);
    await ended;
    clearTimeout(hard);
  }

  kill(): void {
    this.#isStopping = true;
    this.#child?.kill('SIGKILL');
  }

  #startAgain(ranMs: number, end: { code: number | null; signal: NodeJS.Signals | null }): void {
    this.#failures = ranMs > HEALTHY_MS ? 1 : this.#failures + 1;
    const waitMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.#failures - 1));
    this.#o.logger.error({ worker: this.number, ...end, waitMs }, 'a worker process ended, starting another');
    this.#restart = setTimeout(() => this.start(), waitMs);
  }
}
