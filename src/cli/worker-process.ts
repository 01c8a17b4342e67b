import { type ChildProcess, fork } from 'node:child_process';
import type { WorkerReport } from '../../workers/worker-report.ts';
import type { Logger } from '../platform/logger.ts';

/** What a worker process runs, and how long it may do what. */
export interface WorkerPlan {
  /** a file that Node runs; it gets a channel to us, and has to end when that closes */
  program: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
  /** milliseconds between asking it to stop and killing it */
  stopMs: number;
  /** milliseconds without a report after which it counts as hung */
  silentMs: number;
  logger: Logger;
}

/** Why a worker was started again: it ended by itself, its reports stopped, or it reported that it is stuck. */
export type RestartCause = 'ended' | 'silent' | 'stuck';

export interface WorkerEvents {
  onRestart: (cause: RestartCause) => void;
  /** its last report, when it has ended however */
  onEnd: (report: WorkerReport) => void;
}

/** As in the launcher, whatever started this process. */
const NODE_FLAGS = ['--max-semi-space-size=16', '--heap-growing-percent=60'];
const FIRST_RESTART_MS = 200;
const MAX_RESTART_MS = 5_000;
/** Until its first report a worker may take so long at least: a busy machine starts processes slowly. */
const START_MS = 60_000;
/** One that ran this long starts again at once when it dies. */
const HEALTHY_MS = 30_000;

/**
 * One place of a pool: a worker process that drains and ends when its channel to us closes, which also happens when we are
 * killed. One that ends by itself is started again, ever more slowly while it keeps failing; one that hangs is ended first.
 */
export class WorkerProcess {
  readonly number: number;
  /** resolves when it has been ready for the first time */
  readonly whenReady: Promise<void>;
  readonly #plan: WorkerPlan;
  readonly #events: WorkerEvents;
  readonly #wasReady: () => void;
  #report: WorkerReport | undefined;
  #heardAt = 0;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #hard: NodeJS.Timeout | undefined;
  /** why it is being ended, to be started again */
  #replacedFor: RestartCause | undefined;
  #isStopping = false;
  #failures = 0;

  constructor(number: number, plan: WorkerPlan, events: WorkerEvents) {
    this.number = number;
    this.#plan = plan;
    this.#events = events;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.whenReady = promise;
    this.#wasReady = resolve;
  }

  /** its last report, while it runs */
  get report(): WorkerReport | undefined {
    return this.#report;
  }

  start(): void {
    const startedAt = performance.now();
    const { program, args, env, logger } = this.#plan;
    const child = fork(program, args, {
      env,
      execArgv: NODE_FLAGS,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#heardAt = startedAt;
    child.on('message', (report) => this.#hear(report as WorkerReport));
    child.on('error', (error) => logger.error({ err: error, worker: this.number }, 'worker process'));
    child.once('exit', (code, signal) => {
      clearTimeout(this.#hard);
      if (this.#report) this.#events.onEnd(this.#report);
      this.#report = undefined;
      this.#child = undefined;
      if (!this.#isStopping) this.#startAgain(performance.now() - startedAt, { code, signal });
    });
  }

  /** Ends it when it hangs. @param now by `performance.now` */
  checkProgress(now: number): void {
    if (!this.#child || this.#isStopping || this.#replacedFor) return;
    const { silentMs, stopMs, logger } = this.#plan;
    const worker = this.number;
    const quietMs = now - this.#heardAt;
    if (quietMs > (this.#report ? silentMs : Math.max(silentMs, START_MS))) {
      this.#replacedFor = 'silent';
      logger.error({ worker, pid: this.#child.pid, quietMs: Math.round(quietMs) }, 'a worker hangs: killing it');
      this.#child.kill('SIGKILL'); // SIGTERM does nothing to a process that is stopped or in an endless loop
    } else if (this.#report && this.#report.live !== true) {
      this.#replacedFor = 'stuck';
      logger.error(
        { worker, pid: this.#child.pid, reason: this.#report.live },
        'a worker makes no progress: ending it',
      );
      this.#end(stopMs);
    }
  }

  /** We stood still ourselves: what it has sent meanwhile is still to be read. */
  excuseSilence(now: number): void {
    this.#heardAt = now;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.#end(this.#plan.stopMs);
    await ended;
  }

  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGKILL');
  }

  #hear(report: WorkerReport): void {
    this.#report = report;
    this.#heardAt = performance.now();
    if (report.ready === true) this.#wasReady();
  }

  /** Closes the channel, at which it drains, and kills it when that takes longer. */
  #end(deadlineMs: number): void {
    const child = this.#child;
    if (child?.connected) child.disconnect();
    clearTimeout(this.#hard);
    this.#hard = setTimeout(() => {
      this.#plan.logger.warn({ worker: this.number }, 'worker did not drain in time');
      child?.kill('SIGKILL');
    }, deadlineMs);
  }

  #startAgain(ranMs: number, end: { code: number | null; signal: NodeJS.Signals | null }): void {
    const cause = this.#replacedFor ?? 'ended';
    this.#replacedFor = undefined;
    this.#failures = ranMs > HEALTHY_MS ? 1 : this.#failures + 1;
    const waitMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.#failures - 1));
    this.#plan.logger.error({ worker: this.number, ...end, cause, waitMs }, 'a worker process ended, starting another');
    this.#events.onRestart(cause);
    this.#restart = setTimeout(() => this.start(), waitMs);
  }
}
