import type { ScenarioOptions } from './options.ts';
import type { ScriptFunction } from './script.ts';
import { type Caller, currentSession, runAs } from './session.ts';

export interface ScenarioOutcome {
  name: string;
  /** iterations by the script's rate and duration */
  planned: number;
  started: number;
  finished: number;
  /** not started, since every user was busy */
  dropped: number;
  /** still running when `gracefulStop` was over */
  interrupted: number;
  /** busy at the same time, at most */
  usersAtPeak: number;
}

export interface ScenarioRun {
  options: ScenarioOptions;
  iterate: ScriptFunction;
  /** what `setup` returned */
  data: unknown;
  /** makes it stop starting iterations */
  signal: AbortSignal;
  /** told of whatever an iteration threw */
  onError: (error: unknown) => void;
  /** told of each iteration that starts */
  onStart: () => void;
}

/** The clock of timers is no finer. */
const TICK_MS = 1;

/**
 * Starts iterations when they are due, whatever becomes of the earlier ones: a slow answer makes nobody wait, it takes
 * another user. Without a free user an iteration is dropped and counted.
 *
 * Resolves when its time is over and the last iteration has ended, or `gracefulStop` is over too.
 */
export class Scenario {
  readonly #run: ScenarioRun;
  readonly #freeUsers: number[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #users = 0;
  #due = 0;
  #started = 0;
  #dropped = 0;
  #finished = 0;
  #usersAtPeak = 0;
  #isOver = false;

  constructor(run: ScenarioRun) {
    this.#run = run;
  }

  async run(): Promise<ScenarioOutcome> {
    const { options, signal } = this.#run;
    await sleep(options.startMs, signal);
    const startTime = Date.now();
    const startedAt = performance.now();
    while (!signal.aborted) {
      const elapsedMs = performance.now() - startedAt;
      this.#startDue(options.arrivals.dueAt(elapsedMs), startTime);
      if (elapsedMs >= options.arrivals.durationMs) break;
      await sleep(TICK_MS, signal);
    }
    this.#isOver = true;
    this.#endWhenIdle();
    const ended = new AbortController();
    void this.#ended.promise.then(() => ended.abort());
    await sleep(options.gracefulStopMs, ended.signal);
    return {
      name: options.name,
      planned: options.arrivals.total,
      started: this.#started,
      finished: this.#finished,
      dropped: this.#dropped,
      interrupted: this.#started - this.#finished,
      usersAtPeak: this.#usersAtPeak,
    };
  }

  #startDue(due: number, startTime: number): void {
    const { dropped_iterations } = currentSession().metrics.builtIn;
    const { options } = this.#run;
    for (; this.#due < due; this.#due += 1) {
      const user = this.#takeUser();
      if (user === undefined) {
        this.#dropped += 1;
        dropped_iterations.add(1, { scenario: options.name });
      } else {
        void this.#iterate(user, this.#started, startTime);
        this.#started += 1;
      }
    }
  }

  #takeUser(): number | undefined {
    const free = this.#freeUsers.pop();
    if (free !== undefined || this.#users === this.#run.options.maxUsers) return free;
    this.#users += 1;
    this.#usersAtPeak = this.#users;
    return this.#users;
  }

  async #iterate(user: number, iterationInTest: number, startTime: number): Promise<void> {
    const { options, iterate, data, onError, onStart } = this.#run;
    const { iterations, iteration_duration } = currentSession().metrics.builtIn;
    const { name: scenario, executor } = options;
    const { durationMs } = options.arrivals;
    const caller: Caller = {
      phase: 'iteration',
      tags: { scenario },
      iteration: { scenario, executor, startTime, durationMs, iterationInTest, user },
    };
    onStart();
    const startedAt = performance.now();
    try {
      await runAs(caller, () => iterate(data));
    } catch (error) {
      onError(error);
    }
    iterations.add(1, caller.tags);
    iteration_duration.add(performance.now() - startedAt, caller.tags);
    this.#finished += 1;
    this.#freeUsers.push(user);
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (this.#isOver && this.#finished === this.#started) this.#ended.resolve();
  }
}

/** Resolves after that time, or when the signal comes. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
