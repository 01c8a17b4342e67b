import type { Logger } from './logger.ts';

interface Closer {
  name: string;
  close: () => Promise<void> | void;
}

/**
 * What a process has open. Whoever opens a pool, listener or timer registers its closer in the same breath; stopping runs
 * them backwards, so that what was opened last (the intake) closes first and what everything stands on closes last.
 */
export class Lifecycle {
  readonly #logger: Logger;
  readonly #closers: Closer[] = [];
  #stopping: Promise<void> | undefined;

  constructor(o: { logger: Logger }) {
    this.#logger = o.logger;
  }

  /** Whether {@link stop} was called. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /**
   * Registers a closer. One that is registered while the process already stops (it was still starting) runs at once.
   *
   * @param name appears in logs and errors
   */
  onStop(name: string, close: () => Promise<void> | void): void {
    if (!this.#stopping) {
      this.#closers.push({ name, close });
      return;
    }
    void this.#run({ name, close }).catch(() => {}); // `#run` has logged it
  }

  /**
   * Runs every closer, the last registered first, past those that fail. The deadline holds for all of them together: once
   * it is over, each remaining closer is still called and no longer waited for. A second call waits for the first.
   *
   * @param deadlineMs milliseconds for everything
   * @throws the first error of a closer, or an Error that names the closer that did not finish in time
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stopAll(performance.now() + deadlineMs);
    return this.#stopping;
  }

  async #stopAll(deadline: number): Promise<void> {
    const errors: unknown[] = [];
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      try {
        await within(deadline - performance.now(), closer.name, this.#run(closer));
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  async #run(closer: Closer): Promise<void> {
    const startedAt = performance.now();
    try {
      await closer.close();
      this.#logger.debug({ closer: closer.name, ms: Math.round(performance.now() - startedAt) }, 'closed');
    } catch (error) {
      this.#logger.error({ err: error, closer: closer.name }, 'closing failed');
      throw error;
    }
  }
}

async function within(ms: number, name: string, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not close in time`)), Math.max(0, ms));
  });
  work.catch(() => {}); // may still fail after the deadline; `#run` logs it
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
