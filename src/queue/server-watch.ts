import type { Logger } from '../platform/logger.ts';
import type { QueueLink } from './backend.ts';
import { withDeadline } from './deadline.ts';
import type { ServerClock } from './server-clock.ts';

/** The server's clock is asked this often, which also shows that the server is there. */
const ASK_EVERY_MS = 10_000;
/** The same while the server is away. */
const ASK_AGAIN_MS = 250;
/** Nobody reads BullMQ's event streams here: as short as they go. */
const EVENTS_KEPT = 100;

export interface WatchOptions {
  /** the lanes that share a connection, and so its fate */
  lanes: readonly number[];
  /** how long an answer may take, milliseconds */
  ackDeadlineMs: number;
  logger: Logger;
}

/** Keeps the clock right by asking the server again and again, and so knows whether the server is there. */
export class ServerWatch {
  /** resolves after the first answer, good or bad; never later than twice the deadline */
  readonly firstAnswer: Promise<void>;
  readonly #link: QueueLink;
  readonly #clock: ServerClock;
  readonly #o: WatchOptions;
  readonly #running: Promise<void>;
  /** undefined before the first answer */
  #up: boolean | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(link: QueueLink, clock: ServerClock, o: WatchOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#o = o;
    this.firstAnswer = this.#ask();
    this.#running = this.#run();
  }

  /** Whether the last answer was a good one. */
  get isUp(): boolean {
    return this.#up === true && !this.#stopped;
  }

  /** Something else went wrong with the server: it counts as away until it answers again, and is asked at once. */
  failed(error: unknown): void {
    if (this.#up === false) return;
    if (!this.#stopped)
      this.#o.logger.warn({ err: error, lanes: this.#o.lanes }, 'the queue does not confirm, refusing scans');
    this.#up = false;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.firstAnswer;
    while (!this.#stopped) {
      await this.#pause(this.#up ? ASK_EVERY_MS : ASK_AGAIN_MS);
      if (!this.#stopped) await this.#ask();
    }
  }

  async #ask(): Promise<void> {
    try {
      await this.#soon(this.#clock.measure());
      if (this.#up) return;
      await this.#soon(this.#shortenEvents());
      this.#up = true;
      this.#o.logger.info({ lanes: this.#o.lanes, clockErrorMs: this.#clock.errorMs() }, 'the queue confirms');
    } catch (error) {
      this.failed(error);
    }
  }

  #soon<T>(answer: Promise<T>): Promise<T> {
    const { ackDeadlineMs } = this.#o;
    return withDeadline(answer, ackDeadlineMs, () => new Error(`no answer in ${ackDeadlineMs} ms`));
  }

  async #shortenEvents(): Promise<void> {
    const { lanes, ackDeadlineMs } = this.#o;
    const shorten = (lane: number) =>
      this.#link.queue(lane).getBackend().setQueueMeta({ 'opts.maxLenEvents': EVENTS_KEPT });
    // a write like any other: it also shows whether the replicas are there
    await Promise.all(lanes.map((lane) => this.#link.write(lane, ackDeadlineMs, () => shorten(lane))));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
