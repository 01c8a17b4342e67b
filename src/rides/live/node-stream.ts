import type { Logger } from '../../platform/logger.ts';
import type { SeenState, Write } from '../../shards/node-changes.ts';
import type { StoredBy, StoredRide } from '../../shards/stored-rides.ts';

export interface NodeStreamOptions {
  /** the shard of a skier to whom somebody listens; undefined when nobody does */
  shardOf(skierId: number): number | undefined;
  read(of: StoredBy): Promise<StoredRide[]>;
  /** @param upTo the state of the node in which these are the last ones */
  tell(rides: StoredRide[], upTo: SeenState): void;
  logger: Logger;
}

interface Pending {
  skierId: number;
  shard: number;
  write: Write;
}

/** Of more than this a minute of a node that does not answer is worth less than the memory. */
const MAX_PENDING = 20_000;

/**
 * What one node stores for those who listen, in the order in which the change feed hears of it: one read at a time, of
 * everything that was heard of meanwhile. What can't be read now is read after the next poll.
 */
export class NodeStream {
  readonly #o: NodeStreamOptions;
  #pending: Pending[] = [];
  #latest: SeenState;
  #told: SeenState;
  #isReading = false;
  #isOver = false;
  #isBehind = false;

  constructor(o: NodeStreamOptions, seen: SeenState) {
    this.#o = o;
    this.#latest = seen;
    this.#told = seen;
  }

  /** Everything that this state of the node sees has been told. */
  get told(): SeenState {
    return this.#told;
  }

  /** @returns false when too much could not be read: what was heard of is lost */
  hear(seen: SeenState, writes: readonly Write[]): boolean {
    this.#latest = seen;
    for (const write of writes) {
      for (const skierId of write.skiers) {
        const shard = this.#o.shardOf(skierId);
        if (shard !== undefined) this.#pending.push({ skierId, shard, write });
      }
    }
    if (this.#pending.length > MAX_PENDING) return false;
    void this.#readOn();
    return true;
  }

  /** Tells nothing any more. */
  end(): void {
    this.#isOver = true;
  }

  async #readOn(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (!this.#isOver) {
      const [pending, upTo] = [this.#pending, this.#latest];
      this.#pending = [];
      if (pending.length === 0) {
        this.#told = upTo;
        break;
      }
      if (!(await this.#readAndTell(pending, upTo))) break;
    }
    this.#isReading = false;
  }

  async #readAndTell(pending: Pending[], upTo: SeenState): Promise<boolean> {
    try {
      const rides = await this.#o.read(wantedBy(pending));
      if (this.#isOver) return false;
      this.#o.tell(rides, upTo);
      this.#told = upTo;
      this.#isBehind = false;
      return true;
    } catch (error) {
      if (!this.#isBehind) this.#o.logger.warn({ err: error }, 'rides that were stored can not be told yet');
      this.#isBehind = true;
      this.#pending = [...pending, ...this.#pending];
      return false;
    }
  }
}

function wantedBy(pending: Pending[]): StoredBy {
  const writes = new Set(pending.map(({ write }) => write));
  const firsts = [...writes].map(({ firstScannedAt }) => firstScannedAt);
  return {
    skiers: [...new Map(pending.map(({ skierId, shard }) => [skierId, { skierId, shard }])).values()],
    xids: [...new Set([...writes].map(({ xid }) => xid))],
    firstScannedAt: firsts.every((first) => first !== null) ? Math.min(...firsts) : null,
  };
}
