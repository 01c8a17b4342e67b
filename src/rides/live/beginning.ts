import type { ChangeFeed } from '../../shards/change-feed.ts';
import type { HistoryReader } from '../../shards/history-reader.ts';
import type { RideRow } from '../../shards/history-rows.ts';
import type { Since } from '../../shards/new-rides.ts';
import { parseSnapshot } from '../../shards/pg-snapshot.ts';
import { changesTokenOf } from '../changes-token.ts';
import type { Told } from './frames.ts';
import type { Start } from './listener.ts';

/** Where a listener was before: what its token says; `unreadable` when that is not known; undefined when it begins now. */
export type Resumption = Since | 'unreadable' | undefined;

/** How a stream begins. */
export interface Beginning {
  start: Start;
  /** what was missed, oldest first */
  rides: RideRow[];
  /** what was missed can't be told: too much, or nobody knows */
  isReset: boolean;
  /** where the listener is after that */
  told: Told;
}

export interface BeginningOptions {
  skierId: number;
  from: Resumption;
  changes: Pick<ChangeFeed, 'stateFor' | 'hasSeen' | 'asOf'>;
  history: Pick<HistoryReader, 'newRides'>;
}

/** Whoever has missed more than this reads their history anew. */
const MAX_MISSED = 200;

/**
 * Finds the point at which a listener can be added: it has been told everything that the change feed has heard of so far, and
 * what that hears of from then on it is told.
 */
export function beginningOf({ skierId, from, changes, history }: BeginningOptions) {
  let isReset = from === 'unreadable';
  let since = from === 'unreadable' ? undefined : from;
  const rides: RideRow[] = [];
  return {
    /** @returns undefined while that is not so yet; what it returns holds until the next poll is heard of */
    now(): Beginning | undefined {
      const { seen, ...place } = changes.stateFor(skierId);
      const at = since ?? (seen && { identity: seen.identity, epoch: place.epoch, seen: seen.text });
      if (!at || at.seen === null || ('page' in at && at.page)) return undefined;
      const snapshot = parseSnapshot(at.seen);
      const hasSeen = changes.hasSeen(skierId, { identity: at.identity, epoch: at.epoch, snapshot: at.seen });
      if (!snapshot || (since && !hasSeen)) return undefined;
      const asOf = changes.asOf(skierId);
      const start = { skierId, ...place, since: snapshot, asOf };
      return { start, rides, isReset, told: { asOf, token: changesTokenOf(at) } };
    },
    /** Reads what was missed. @returns whether that may have helped */
    async readOn(): Promise<boolean> {
      if (!since) return false;
      const read = await history.newRides(skierId, since, { limit: MAX_MISSED });
      if (read.isReset || read.hasMore) {
        isReset = true;
        since = undefined;
        rides.length = 0;
        return true;
      }
      rides.push(...read.rides);
      const before = since.seen;
      since = read.next;
      return before !== since.seen;
    },
  };
}
