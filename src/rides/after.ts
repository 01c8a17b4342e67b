import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import { Problem } from '../domain/problem.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { ChangeFeed } from '../shards/change-feed.ts';
import type { HistoryReader } from '../shards/history-reader.ts';
import type { ScanFate } from '../shards/scan-fate.ts';
import { type Query, readInteger, single } from './query.ts';
import { readReceipt } from './read-receipt.ts';

/** What a read waits for before it answers: a scan that its caller knows of. */
export interface After {
  receipt: Receipt;
  waitMs: number;
}

/** Seconds that a read waits unless it says otherwise, and at most. */
export const DEFAULT_WAIT_S = 2;
export const MAX_WAIT_S = 10;
/** How often it is looked whether the lane is complete past the scan: a dead letter changes no history, so nobody is told of it. */
const GLANCE_MS = 100;
/** How often a node is asked where nobody tells how far the lane is complete. */
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

export interface WaitingOptions {
  history: Pick<HistoryReader, 'fate'>;
  changes: Pick<ChangeFeed, 'onChange' | 'asOf'>;
  registry: Registry;
}

/** Lets reads wait until a scan is no longer on its way. */
export class Waiting {
  readonly #o: WaitingOptions;
  readonly #ending = new AbortController();
  #count = 0;

  constructor(o: WaitingOptions) {
    this.#o = o;
    const gauge: Gauge = new Gauge({
      name: 'liftline_waiting_reads',
      help: 'Reads that wait for a scan (?after=)',
      registers: [o.registry],
      collect: () => gauge.set(this.#count),
    });
  }

  /** Lets every read answer at once: the process stops. */
  endAll(): void {
    this.#ending.abort();
  }

  /**
   * @param gone ends the wait early: nobody is interested any more
   * @returns the scan's fate: still `queued` when the time was up
   * @throws Problem `overloaded` when too many wait, and as `HistoryReader.fate`
   */
  async for(after: After, gone: AbortSignal): Promise<ScanFate['status']> {
    if (this.#count >= MAX_WAITING) throw new Problem('overloaded', 'too many reads wait for their scans here');
    this.#count += 1;
    const hasChanged = new Doorbell();
    const end = this.#o.changes.onChange(after.receipt.skierId, () => hasChanged.ring());
    const over = AbortSignal.any([gone, this.#ending.signal, AbortSignal.timeout(after.waitMs)]);
    try {
      for (;;) {
        const { fate } = await this.#o.history.fate(after.receipt);
        if (fate.status !== 'queued' || over.aborted) return fate.status;
        await this.#untilNews(after.receipt, hasChanged, over);
      }
    } finally {
      end();
      this.#count -= 1;
    }
  }

  /** Until there is something to look for: what waits costs the nodes nothing. */
  async #untilNews({ skierId, acceptedAt }: Receipt, hasChanged: Doorbell, over: AbortSignal): Promise<void> {
    const lookAt = performance.now() + LOOK_MS;
    while (!over.aborted) {
      if (await hasChanged.wait(GLANCE_MS, over)) return;
      const asOf = this.#o.changes.asOf(skierId);
      if (asOf === null ? performance.now() >= lookAt : asOf >= acceptedAt) return;
    }
  }
}

/** Remembers a ring that came while nobody waited. */
class Doorbell {
  #rung = Promise.withResolvers<true>();

  ring(): void {
    this.#rung.resolve(true);
  }

  /** @returns whether it rang before the time was up, or all of it is over */
  async wait(ms: number, over: AbortSignal): Promise<boolean> {
    const done = new AbortController();
    const both = AbortSignal.any([over, done.signal]);
    const silence = delay(ms, false, { signal: both }).catch(() => false);
    const hasRung = await Promise.race([this.#rung.promise, silence]);
    done.abort();
    if (hasRung) this.#rung = Promise.withResolvers();
    return hasRung;
  }
}
