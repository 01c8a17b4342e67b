import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../domain/problem.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { ChangeFeed } from '../shards/change-feed.ts';
import type { HistoryReader } from '../shards/history-reader.ts';
import type { ScanFate } from '../shards/scan-fate.ts';
import { type Query, readInteger, single } from './query.ts';
import { readReceipt } from './receipt-routes.ts';

/** What a read waits for before it answers: a scan that its caller knows of. */
export interface After {
  receipt: Receipt;
  waitMs: number;
}

/** Seconds that a read waits unless it says otherwise, and at most. */
export const DEFAULT_WAIT_S = 2;
export const MAX_WAIT_S = 10;
/** A dead letter changes no history, so nobody is told of it: it is looked for. */
const LOOK_MS = 500;
/** Reads that may wait at once in one process; each holds a connection and some kilobytes. */
const MAX_WAITING = 2_000;

/**
 * @returns what `?after=` and `?wait=` say, or undefined without them
 * @throws Problem `malformed`, and `invalid` for another skier's receipt or a wait out of range
 */
export function readAfter(query: Query, skierId: number): After | undefined {
  const text = single(query, 'after');
  const wait = single(query, 'wait');
  if (text === undefined) return undefined;
  const receipt = readReceipt(text);
  if (receipt.skierId !== skierId) throw new Problem('invalid', 'the receipt is for a scan of another skier');
  return { receipt, waitMs: 1_000 * (wait === undefined ? DEFAULT_WAIT_S : readInteger(wait, 'wait', 0, MAX_WAIT_S)) };
}

/** Lets reads wait until a scan is no longer on its way. */
export class Waiting {
  readonly #history: Pick<HistoryReader, 'fate'>;
  readonly #changes: Pick<ChangeFeed, 'onChange'>;
  #count = 0;

  constructor(o: { history: Pick<HistoryReader, 'fate'>; changes: Pick<ChangeFeed, 'onChange'> }) {
    this.#history = o.history;
    this.#changes = o.changes;
  }

  /**
   * @param signal ends the wait early, when nobody is interested any more
   * @returns the scan's fate: still `queued` when the time was up
   * @throws Problem `overloaded` when too many wait, and as `HistoryReader.fate`
   */
  async for({ receipt, waitMs }: After, signal: AbortSignal): Promise<ScanFate['status']> {
    if (this.#count >= MAX_WAITING) throw new Problem('overloaded', 'too many reads wait for their scans here');
    this.#count += 1;
    const hasChanged = new Doorbell();
    const end = this.#changes.onChange(receipt.skierId, () => hasChanged.ring());
    try {
      const deadline = performance.now() + waitMs;
      for (;;) {
        const { fate } = await this.#history.fate(receipt);
        const leftMs = deadline - performance.now();
        if (fate.status !== 'queued' || leftMs <= 0 || signal.aborted) return fate.status;
        await hasChanged.wait(Math.min(LOOK_MS, leftMs), signal);
      }
    } finally {
      end();
      this.#count -= 1;
    }
  }
}

/** Remembers a ring that came while nobody waited. */
class Doorbell {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    await Promise.race([this.#rung.promise, delay(ms, undefined, { signal: both }).catch(() => {})]);
    over.abort();
    this.#rung = Promise.withResolvers<void>();
  }
}
