import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DirectoryFollower } from '../src/directory/follower.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import type { CompleteUntil } from '../src/queue/complete-until.ts';
import { keepAsOf } from '../src/shards/as-of.ts';
import { lanesByNode } from '../src/shards/lanes-by-node.ts';
import type { ReadNodes } from '../src/shards/read-nodes.ts';
import type { AsOfAge } from './as-of-age.ts';

export interface AsOfKeeperOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  /** for this alone: what a keeper tells must not wait behind the writes of a busy lane */
  nodes: ReadNodes;
  /** the lanes of this worker */
  lanes: readonly number[];
  completeUntil: CompleteUntil;
  age: AsOfAge;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

const EVERY_MS = 250;
/** A lane that does not tell within this time is told at a later turn: in a cluster, its server alone may hang. */
const LOOK_MS = 250;
/** How often a worker that is not the keeper of a lane on a node offers to be. */
const OFFER_MS = 1_000;
/** What stands still is mentioned this often. */
const REMIND_MS = 60_000;

/**
 * Tells each node, several times a second, up to when its lanes are complete: one worker at a time for each lane and node,
 * by a lease in the very row that it writes. (A session's advisory lock would stay with a worker behind a black hole
 * until TCP gives up.) Two keepers at once do no harm, for what either of them says is true.
 *
 * Each node has a loop of its own: one that is away holds nobody up. While the queue does not answer, what was told stands.
 */
export function startAsOfKeeper(o: AsOfKeeperOptions): void {
  const keeper = randomUUID();
  const stopping = new AbortController();
  const loops = new Map<number, Promise<void>>();
  const startLoops = () => {
    for (const nodeId of lanesByNode(o.directory.snapshot()).keys()) {
      if (!loops.has(nodeId)) loops.set(nodeId, new NodeKeeper(o, nodeId, keeper).run(stopping.signal));
    }
  };
  startLoops();
  const timer = setInterval(startLoops, OFFER_MS);
  o.lifecycle.onStop('keeper of asOf', async () => {
    clearInterval(timer);
    stopping.abort();
    await Promise.all(loops.values());
  });
}

class NodeKeeper {
  readonly #o: AsOfKeeperOptions;
  readonly #nodeId: number;
  readonly #keeper: string;
  #held = new Set<number>();
  /** what the last look at a lane has found: it stays true, however late it is told (`openCompleteUntil` says why) */
  readonly #seen = new Map<number, number>();
  readonly #looking = new Map<number, Promise<void>>();
  #offeredAt = Number.NEGATIVE_INFINITY;
  #remindedAt = Number.NEGATIVE_INFINITY;

  constructor(o: AsOfKeeperOptions, nodeId: number, keeper: string) {
    this.#o = o;
    this.#nodeId = nodeId;
    this.#keeper = keeper;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#tick();
      } catch (error) {
        this.#remind(error);
      }
      await delay(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #tick(): Promise<void> {
    const { directory, nodes, lanes, age } = this.#o;
    const snapshot = directory.snapshot();
    const here = lanesByNode(snapshot).get(this.#nodeId);
    const address = snapshot.nodes.get(this.#nodeId);
    const mayOffer = performance.now() - this.#offeredAt >= OFFER_MS;
    const due = lanes.filter((lane) => here?.has(lane) && (this.#held.has(lane) || mayOffer));
    if (!address || due.length === 0) return;
    if (mayOffer) this.#offeredAt = performance.now();
    await this.#look(due.filter((lane) => this.#held.has(lane)));
    const told = due.map((lane) => ({ lane, asOf: this.#seen.get(lane) ?? null }));
    const kept = await nodes.of(address).run(({ pool }) => keepAsOf(pool, this.#keeper, told));
    this.#held = new Set(kept.keys());
    age.told(address.name, kept);
  }

  /** Looks at lanes that are ours, and waits for as many as tell in time. A lane that can't tell stays where it is. */
  async #look(lanes: readonly number[]): Promise<void> {
    for (const lane of lanes.filter((one) => !this.#looking.has(one))) {
      this.#looking.set(
        lane,
        this.#lookAt(lane).finally(() => this.#looking.delete(lane)),
      );
    }
    const over = new AbortController();
    const patience = delay(LOOK_MS, undefined, { signal: over.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#looking.values()), patience]);
    over.abort();
  }

  async #lookAt(lane: number): Promise<void> {
    try {
      const complete = await this.#o.completeUntil.read(lane);
      if (complete !== undefined) this.#seen.set(lane, complete);
    } catch (error) {
      this.#remind(error);
    }
  }

  #remind(error: unknown): void {
    if (performance.now() - this.#remindedAt < REMIND_MS) return;
    this.#remindedAt = performance.now();
    this.#o.logger.info({ err: error, node: this.#nodeId }, 'asOf stands still');
  }
}
