import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import type { Random } from '../../src/simulator/random.ts';
import type { Stack, StackOptions } from '../stack.ts';

/**
 * Something that is done to a running Liftline while it is loaded, and that must lose nothing. A fault runs on a stack of
 * its own: started for it, loaded, checked row by row, and thrown away. See `fault-list.ts` for all of them.
 */
export interface Fault {
  /** as on the command line, e.g. `redis-kill` */
  name: string;
  /** one line, without a full stop: what is done */
  summary: string;
  /** @returns true, or what is missing here, e.g. `redis-server is not on PATH`; nothing is started for the answer */
  canRun(): true | string;
  /**
   * Makes ready whatever the stack stands on (a mounted image, a proxy, a compiled shim) and says how to start it. The
   * queue is Redis. Two edges and two workers are started unless the options say otherwise.
   */
  stack(place: FaultPlace): FaultStackOptions | Promise<FaultStackOptions>;
  /**
   * Injects and heals, while the load runs. Begins when the load is under way; resolves when the system is whole again,
   * and rejects when the fault could not be done as meant (a fault that misses proves nothing). The load goes on until
   * this has resolved and enough scans are acked: a short fault repeats until {@link FaultContext.isEnough}.
   */
  inflict(context: FaultContext): Promise<void>;
  /** the same with a setting that is known to lose, which has to be reported as loss; or why there is none */
  control: FaultControl | { none: string };
  /** scans a second of the load, 2,500 unless given */
  scansPerS?: number;
  /** the load comes by way of nginx; without it devices spread over the edges themselves */
  isBehindNginx?: true;
  /** devices must see nothing of it: nothing but an honest 503 of a busy machine may keep a post from its ack */
  isSeamless?: true;
}

/** A negative control: a checker that never fails proves nothing. */
export interface FaultControl {
  /** what differs, one line, e.g. `Redis without an append-only file` */
  setting: string;
  stack: Fault['stack'];
  /** the fault's own unless given */
  inflict?: Fault['inflict'];
}

/** Where a fault may put things, before its stack starts and until after it has stopped. */
export interface FaultPlace {
  /** an empty folder of this run, removed at its end; everybody may enter it (root's Postgres runs as another user) */
  folder: string;
  /** whatever is registered here is closed after the stack has stopped, last first */
  lifecycle: Lifecycle;
}

export type FaultStackOptions = Omit<StackOptions, 'queue'>;

/** What a fault has in hand. */
export interface FaultContext {
  stack: Stack;
  place: FaultPlace;
  /** the same for the same `--seed` and fault */
  random: Random;
  /** Draws a line into the timeline, and prints it, e.g. `kill -9 worker-0`. */
  mark(text: string): void;
  /** @throws when the run is given up meanwhile */
  wait(ms: number): Promise<void>;
  /** From now on the load sends so many scans a second; the fault's own rate unless given. */
  setRate(scansPerS?: number): void;
  /** scans acked so far */
  acked(): number;
  /** whether as many scans are acked as the run asks for: a fault that repeats ends then */
  isEnough(): boolean;
  /** Resolves when so many more scans are acked than now. @throws when that takes longer than a minute */
  untilMoreAcked(scans: number): Promise<void>;
}
