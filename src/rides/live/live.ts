import { setTimeout as delay } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import type { DirectoryFollower } from '../../directory/follower.ts';
import { Problem } from '../../domain/problem.ts';
import { laneOf } from '../../domain/shard.ts';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ChangeFeed, News } from '../../shards/change-feed.ts';
import type { HistoryReader } from '../../shards/history-reader.ts';
import type { SeenState } from '../../shards/node-changes.ts';
import { sees } from '../../shards/pg-snapshot.ts';
import type { ReadNodes } from '../../shards/read-nodes.ts';
import { readStoredRides, type StoredBy, type StoredRide } from '../../shards/stored-rides.ts';
import { changesTokenOf } from '../changes-token.ts';
import { rideJson } from '../represent.ts';
import { type Beginning, beginningOf, type Resumption } from './beginning.ts';
import { asOfFrame, HEARTBEAT, helloFrame, resetFrame, rideFrame } from './frames.ts';
import { Listener } from './listener.ts';
import { Listeners } from './listeners.ts';
import type { LiveMetrics } from './metrics.ts';
import { NodeStream } from './node-stream.ts';

export interface LiveOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  changes: Pick<ChangeFeed, 'onNews' | 'stateFor' | 'hasSeen' | 'asOf'>;
  history: Pick<HistoryReader, 'newRides'>;
  /** where rides that were stored are read, by itself: it must not wait behind other reads */
  nodes: ReadNodes;
  /** how many may listen to one process at once */
  maxListeners: number;
  metrics: LiveMetrics;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

const TICK_MS = 250;
/** How often a listener is looked after: told a newer asOf, if it moved. */
const ATTEND_MS = 5_000;
const MIN_AS_OF_STEP_MS = 1_000;
/** Less than what load balancers and this server take for a connection that nobody uses. */
const HEARTBEAT_MS = 15_000;
/** Then a listener has to show its token again. */
const MAX_AGE_MS = 30 * 60_000;
/** A stream begins with the change feed's help, which may have to hear of the node first. */
const BEGIN_MS = 2_000;
const BEGIN_POLL_MS = 25;

/**
 * Rides as they are stored, told to those who listen. One poll of the change feed and one read a node serve all of them, and
 * a listener is an open response and the snapshot from which on it is told; a stream ends and goes on elsewhere without a gap,
 * for what a listener has is a token that any process can read.
 */
export class Live {
  readonly #o: LiveOptions;
  readonly #listeners: Listeners;
  readonly #streams = new Map<number, NodeStream>();
  #isEnding = false;

  constructor(o: LiveOptions) {
    this.#o = o;
    this.#listeners = new Listeners(o.maxListeners);
    o.metrics.watch(() => this.#listeners.count);
    o.changes.onNews((news) => this.#hear(news));
    const timer = setInterval(() => this.#attendAll(), TICK_MS);
    o.lifecycle.onStop('live', () => {
      clearInterval(timer);
      this.endAll();
    });
  }

  /**
   * Begins a stream on a response, which is taken from here on. Nothing that is stored after its beginning is left out. For a
   * client that has left before, nothing is begun.
   *
   * @param from where the listener was before; `unreadable`: nobody knows; undefined: it begins now
   * @param writeHead is called once it is sure that the stream begins, before anything is written
   * @throws Problem `overloaded`, `quota_exceeded`, `starting` for a process that is about to stop, and `node_unavailable`
   */
  async open(skierId: number, from: Resumption, response: ServerResponse, writeHead: () => void): Promise<void> {
    if (this.#isEnding) throw new Problem('starting', 'this process is about to stop');
    if (hasLeft(response)) return; // it has closed, and will not say so again: a place would never be given back
    const giveBack = this.#listeners.take(skierId);
    response.once('close', giveBack);
    try {
      await this.#begin(skierId, from, (beginning) => {
        if (hasLeft(response)) return;
        writeHead();
        this.#add(new Listener(response, beginning.start), beginning, response);
      });
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** Sends everyone away, to come back elsewhere. */
  endAll(): void {
    this.#isEnding = true;
    for (const listener of this.#listeners.all()) this.#end(listener, 'bye');
  }

  /** @param add must be called in the same breath in which it was found that nothing is missed */
  async #begin(skierId: number, from: Resumption, add: (beginning: Beginning) => void): Promise<void> {
    const deadline = performance.now() + BEGIN_MS;
    const beginning = beginningOf({ skierId, from, ...this.#o });
    while (performance.now() < deadline) {
      const ready = beginning.now();
      if (ready) {
        add(ready);
        return;
      }
      if (!(await beginning.readOn())) await delay(BEGIN_POLL_MS);
    }
    throw new Problem('node_unavailable', 'the node does not tell what is stored');
  }

  #add(listener: Listener, { rides, isReset, told }: Beginning, response: ServerResponse): void {
    const { resorts } = this.#o.directory.snapshot();
    this.#listeners.add(listener);
    response.once('close', () => this.#listeners.remove(listener));
    listener.dueAt = performance.now() + Math.random() * ATTEND_MS;
    const hello = helloFrame(isReset || rides.length > 0 ? { asOf: told.asOf } : told);
    const last = rides.length - 1;
    const missed = rides.map((ride, i) => rideFrame(rideJson(ride, resorts), i === last ? told.token : undefined));
    listener.write(`${hello}${isReset ? resetFrame(told) : missed.join('')}`);
  }

  #hear({ nodeId, seen, changed }: News): void {
    const stream = this.#streams.get(nodeId);
    const isTold = stream !== undefined && changed !== 'all' && stream.hear(seen, changed);
    if (isTold) return;
    stream?.end();
    this.#streams.set(nodeId, this.#openStream(nodeId, seen));
    if (!stream) return;
    // nobody knows what these have missed: each finds out by its own token
    for (const listener of this.#listeners.all()) {
      if (listener.start.nodeId === nodeId) this.#end(listener, 'lost');
    }
  }

  #openStream(nodeId: number, seen: SeenState): NodeStream {
    const { changes, logger } = this.#o;
    return new NodeStream(
      {
        shardOf: (skierId) => (this.#listeners.has(skierId) ? changes.stateFor(skierId).shard : undefined),
        read: (of) => this.#read(nodeId, of),
        tell: (rides, upTo) => this.#tell(nodeId, rides, upTo),
        logger,
      },
      seen,
    );
  }

  #read(nodeId: number, of: StoredBy): Promise<StoredRide[]> {
    const { directory, nodes } = this.#o;
    const address = directory.snapshot().nodes.get(nodeId);
    if (!address) throw new Problem('node_unavailable', `there is no node ${nodeId}`);
    return nodes.of(address).run(({ pool }) => readStoredRides(pool, of));
  }

  #tell(nodeId: number, rides: StoredRide[], upTo: SeenState): void {
    const { resorts } = this.#o.directory.snapshot();
    for (const [skierId, ofSkier] of Map.groupBy(rides, (ride) => ride.skierId)) {
      for (const listener of this.#listeners.of(skierId)) {
        if (listener.start.nodeId !== nodeId) continue; // its shard has moved: it is about to be sent away
        const news = ofSkier.filter(({ xid }) => !sees(listener.start.since, Number(xid)));
        const last = news.length - 1;
        const frames = news.map((ride, i) =>
          rideFrame(rideJson(ride, resorts), i === last ? tokenFor(listener, upTo) : undefined),
        );
        if (this.#write(listener, frames.join(''))) this.#o.metrics.told(news.length);
      }
    }
  }

  #attendAll(): void {
    const now = performance.now();
    for (const listener of this.#listeners.all()) {
      if (listener.dueAt > now) continue;
      listener.dueAt = now + ATTEND_MS;
      this.#attend(listener);
    }
  }

  #attend(listener: Listener): void {
    const { skierId, shard, nodeId, epoch } = listener.start;
    const at = this.#o.changes.stateFor(skierId);
    const told = this.#streams.get(nodeId)?.told;
    if (at.nodeId !== nodeId || at.epoch !== epoch || told === undefined) return this.#end(listener, 'lost');
    if (listener.ageMs > MAX_AGE_MS) return this.#end(listener, 'bye');
    const asOf = told.asOf.get(laneOf(shard, this.#o.directory.snapshot().laneCount)) ?? null;
    if (asOf !== null && asOf - (listener.asOf ?? 0) >= MIN_AS_OF_STEP_MS) {
      listener.asOf = asOf;
      this.#write(listener, asOfFrame({ asOf, token: tokenFor(listener, told) }));
    } else if (listener.silentMs > HEARTBEAT_MS - ATTEND_MS) {
      this.#write(listener, HEARTBEAT);
    }
  }

  #write(listener: Listener, frames: string): boolean {
    if (frames === '') return false;
    if (listener.write(frames)) return true;
    this.#listeners.remove(listener);
    this.#o.metrics.ended('slow');
    return false;
  }

  #end(listener: Listener, reason: 'bye' | 'lost'): void {
    this.#listeners.remove(listener);
    listener.end();
    this.#o.metrics.ended(reason);
  }
}

function hasLeft(response: ServerResponse): boolean {
  return response.closed || response.destroyed;
}

function tokenFor({ start }: Listener, { identity, text }: SeenState): string {
  return changesTokenOf({ identity, epoch: start.epoch, seen: text });
}
