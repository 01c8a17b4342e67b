import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { BacklogReader } from '../src/queue/backlog-reader.ts';
import type { LaneConsumer } from '../src/queue/consumer.ts';
import type { WorkerMetrics } from './metrics.ts';

export interface LaneProgressOptions {
  /** the lanes of this worker */
  consumers: ReadonlyMap<number, Pick<LaneConsumer, 'lastProgressAt' | 'jobsInHand'>>;
  backlog: BacklogReader;
  /** milliseconds without any progress after which a lane with work is stuck */
  stuckMs: number;
  /** milliseconds since the epoch; the machine's clock unless given */
  now?: () => number;
}

const CHECKS_IN_TIME = 5;
const MAX_CHECK_MS = 5_000;

/**
 * Whether a worker gets on with its lanes. A lane is stuck when for `stuckMs` nothing was taken, tried or done although
 * there was something to do: a job in hand, or one that waits and that nobody takes (a BullMQ worker that is connected and
 * does nothing, taskforcesh/bullmq#4585).
 *
 * A try counts as progress, whatever comes of it: a lane that is held because its node is away keeps trying, and another
 * process would do no better. Nor would one while the queue is away.
 */
export class LaneProgress {
  readonly checkMs: number;
  readonly #o: LaneProgressOptions;
  readonly #now: () => number;
  /** when a lane was last known to be well for another reason than what its consumer knows */
  readonly #wellAt = new Map<number, number>();
  #checkedAt: number;
  #verdict: true | string = true;

  constructor(o: LaneProgressOptions) {
    this.#o = o;
    this.#now = o.now ?? Date.now;
    this.checkMs = Math.min(MAX_CHECK_MS, Math.ceil(o.stuckMs / CHECKS_IN_TIME));
    this.#checkedAt = this.#now();
    for (const lane of o.consumers.keys()) this.note(lane);
  }

  /** Something was tried for the lane. */
  note(lane: number): void {
    this.#wellAt.set(lane, this.#now());
  }

  /** As of the last check: true, or which lane is stuck. */
  live(): true | string {
    return this.#verdict;
  }

  /** To be called every `checkMs`. Never throws. */
  async check(): Promise<void> {
    const now = this.#now();
    const wasAsleep = now - this.#checkedAt > 3 * this.checkMs; // the whole process stood still, so nothing is known
    this.#checkedAt = now;
    if (wasAsleep) for (const lane of this.#o.consumers.keys()) this.note(lane);
    const doubtful = [...this.#o.consumers].filter(
      ([lane, consumer]) => this.#idleMs(lane) >= this.checkMs && consumer.jobsInHand() === 0,
    );
    if (doubtful.length > 0) await this.#noteEmpty(doubtful.map(([lane]) => lane));
    const stuck = [...this.#o.consumers].find(([lane]) => this.#idleMs(lane) >= this.#o.stuckMs);
    this.#verdict = stuck === undefined || this.#describe(...stuck);
  }

  #idleMs(lane: number): number {
    const wellAt = Math.max(this.#wellAt.get(lane) ?? 0, this.#o.consumers.get(lane)?.lastProgressAt() ?? 0);
    return this.#now() - wellAt;
  }

  /** A lane in which nothing waits is well, and so is one of which nobody can say what waits. */
  async #noteEmpty(lanes: number[]): Promise<void> {
    const backlog = await this.#o.backlog.read().catch(() => undefined);
    for (const lane of lanes) {
      const waits = backlog?.find((entry) => entry.lane === lane)?.waitingJobs ?? 0;
      if (waits === 0) this.note(lane);
    }
  }

  #describe(lane: number, consumer: Pick<LaneConsumer, 'jobsInHand'>): string {
    const inHand = consumer.jobsInHand();
    const what = inHand > 0 ? `${inHand} jobs are in hand and nothing is tried` : 'jobs wait and none is taken';
    return `lane ${lane} is stuck for ${Math.round(this.#idleMs(lane) / 1000)} s: ${what}`;
  }
}

/** Checks regularly until the lifecycle stops. */
export function watchProgress(progress: LaneProgress, lifecycle: Pick<Lifecycle, 'onStop'>): void {
  let checking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    checking = checking.then(() => progress.check());
  }, progress.checkMs);
  lifecycle.onStop('lane progress', async () => {
    clearInterval(timer);
    await checking;
  });
}

/** @returns metrics that also note each try to write, stored or not, as progress of its lane */
export function noteTries(metrics: WorkerMetrics, note: (lane: number) => void): WorkerMetrics {
  return {
    ...metrics,
    wrote(lane, write) {
      note(lane);
      metrics.wrote(lane, write);
    },
    failed(lane, verdict) {
      note(lane);
      metrics.failed(lane, verdict);
    },
  };
}
