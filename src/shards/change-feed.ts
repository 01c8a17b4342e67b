import { setTimeout as delay } from 'node:timers/promises';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { laneOf, shardOf } from '../domain/shard.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { lanesByNode } from './lanes-by-node.ts';
import { type Changed, NodeChanges, resortDayKey, type SeenState } from './node-changes.ts';
import type { Position } from './read-at.ts';
import type { ReadNodes } from './read-nodes.ts';

export interface ChangeFeedOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  /** for this alone, one connection a node is enough */
  nodes: ReadNodes;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

/** What a poll of a node has brought. */
export interface News {
  nodeId: number;
  /** what the poll saw */
  seen: SeenState;
  /** everything that it saw, and the one before did not */
  changed: Changed;
}

const EVERY_MS = 50;
const AWAY_EVERY_MS = 250;
/** An answer may be given for so long after a poll that found nothing new; then nobody knows. */
const RECENT_MS = 500;

/**
 * Follows what the workers commit on every node, by asking each for its changes 20 times a second. A cached answer that
 * carries the position it was read at can so be told from an old one, exactly: there is no moment between reading and
 * keeping in which a change could be missed, and what another process has kept is judged in the same way.
 */
export class ChangeFeed {
  readonly #o: ChangeFeedOptions;
  readonly #nodes = new Map<number, NodeChanges>();
  readonly #loops: Promise<void>[] = [];
  readonly #stopping = new AbortController();
  readonly #listeners = new Map<number, Set<() => void>>();
  readonly #newsListeners: ((news: News) => void)[] = [];

  constructor(o: ChangeFeedOptions) {
    this.#o = o;
    this.#follow();
    const timer = setInterval(() => this.#follow(), 1_000);
    o.lifecycle.onStop('change feed', async () => {
      clearInterval(timer);
      this.#stopping.abort();
      await Promise.all(this.#loops);
    });
  }

  /**
   * Whether an answer about a skier that was read at this position is still what a read would find: as of the last poll, which
   * was at most half a second ago. False also when nobody knows.
   *
   * @param seasons what was read is of these seasons alone: whatever happens in others is nothing to it
   */
  isCurrent(skierId: number, { identity, epoch, snapshot }: Position, seasons?: readonly number[]): boolean {
    const { shard, node, map } = this.#placeOf(skierId);
    if (epoch !== map.epochOfShard[shard] || !isRecent(node)) return false;
    return node.isCurrent(skierId, { identity, snapshot }, seasons);
  }

  /** Whether who has read at this position knows of every change of the skier that a poll has told, however long ago that was. */
  hasSeen(skierId: number, { identity, epoch, snapshot }: Position): boolean {
    const { shard, node, map } = this.#placeOf(skierId);
    return epoch === map.epochOfShard[shard] && node !== undefined && node.isCurrent(skierId, { identity, snapshot });
  }

  /** The node that has the skier's shard, and what the last poll saw of it. */
  stateFor(skierId: number): { nodeId: number; shard: number; epoch: number; seen: SeenState | undefined } {
    const { shard, node, map } = this.#placeOf(skierId);
    return { nodeId: map.nodeOfShard[shard] ?? -1, shard, epoch: map.epochOfShard[shard] ?? 0, seen: node?.seen };
  }

  /** The same of a resort's day, read at a position of each node by its id. */
  isCurrentDay(
    of: { resortId: number; season: number; day: number },
    positions: ReadonlyMap<number, { identity: string; snapshot: string }>,
  ): boolean {
    const key = resortDayKey(of.resortId, of.season, of.day);
    return [...lanesByNode(this.#o.directory.snapshot()).keys()].every((nodeId) => {
      const [node, position] = [this.#nodes.get(nodeId), positions.get(nodeId)];
      return position !== undefined && isRecent(node) && node.isCurrent(key, position);
    });
  }

  /** Up to when the skier's lane is complete, as of the last poll: an answer that is current is complete until then. */
  asOf(skierId: number): number | null {
    const { shard, node, map } = this.#placeOf(skierId);
    return node?.asOf(laneOf(shard, map.laneCount)) ?? null;
  }

  /** Up to when every lane is complete, as of the last polls. */
  asOfOfAll(): number | null {
    const lanes = [...lanesByNode(this.#o.directory.snapshot())].flatMap(([nodeId, of]) =>
      [...of].map((lane) => this.#nodes.get(nodeId)?.asOf(lane) ?? null),
    );
    return lanes.every((asOf) => asOf !== null) ? Math.min(...lanes) : null;
  }

  /**
   * @param listener is called after each change of the skier, and whenever there may have been one; it must not throw
   * @returns what ends it
   */
  onChange(skierId: number, listener: () => void): () => void {
    const listeners = this.#listeners.get(skierId) ?? new Set();
    this.#listeners.set(skierId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(skierId) === listeners) this.#listeners.delete(skierId);
    };
  }

  /** @param listener is called after every good poll, in their order; it must not throw */
  onNews(listener: (news: News) => void): void {
    this.#newsListeners.push(listener);
  }

  #placeOf(skierId: number): { shard: number; node: NodeChanges | undefined; map: DirectorySnapshot } {
    const map = this.#o.directory.snapshot();
    const shard = shardOf(skierId, map.shardCount);
    return { shard, node: this.#nodes.get(map.nodeOfShard[shard] ?? -1), map };
  }

  /** Nodes may come later. */
  #follow(): void {
    for (const nodeId of lanesByNode(this.#o.directory.snapshot()).keys()) {
      if (this.#nodes.has(nodeId) || this.#stopping.signal.aborted) continue;
      const changes = new NodeChanges();
      this.#nodes.set(nodeId, changes);
      this.#loops.push(this.#run(nodeId, changes));
    }
  }

  async #run(nodeId: number, changes: NodeChanges): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const isThere = await this.#poll(nodeId, changes);
      await delay(isThere ? EVERY_MS : AWAY_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #poll(nodeId: number, changes: NodeChanges): Promise<boolean> {
    const { directory, nodes, logger } = this.#o;
    const address = directory.snapshot().nodes.get(nodeId);
    if (!address) return false;
    let isOver = false;
    try {
      const changed = await nodes.of(address).run(({ pool }) => changes.poll(pool, () => isOver));
      this.#tell(nodeId, changes, changed);
      return true;
    } catch (error) {
      logger.debug({ err: error, node: address.name }, 'the node does not tell what has changed');
      return false;
    } finally {
      isOver = true;
    }
  }

  #tell(nodeId: number, changes: NodeChanges, changed: Changed): void {
    const { seen } = changes;
    if (seen) for (const listener of this.#newsListeners) listener({ nodeId, seen, changed });
    const skiers = changed === 'all' ? this.#listeners.keys() : new Set(changed.flatMap((write) => write.skiers));
    for (const skierId of skiers) for (const listener of this.#listeners.get(skierId) ?? []) listener();
  }
}

function isRecent(node: NodeChanges | undefined): node is NodeChanges {
  return node !== undefined && performance.now() - node.polledAt < RECENT_MS;
}
