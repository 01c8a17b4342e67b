import { setTimeout as delay } from 'node:timers/promises';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { HttpConnection } from '../client/http-connection.ts';
import { type Latencies, latencies } from '../client/latencies.ts';
import type { Stack } from '../stack.ts';
import { courseRequest, type CourseRide } from './rides.ts';

type Phase = 'before' | 'during' | 'after';

interface PhaseReads extends Latencies {
  reads: number;
  /** neither 200 nor (not persisted yet) 404 */
  failed: number;
}

/** What readers saw while one node was away. */
export interface OutageReads {
  /** of the skiers of the other node, by phase */
  others: Record<Phase, PhaseReads>;
  /** of the skiers of the node that was away, while it was */
  away: { reads: number; answered503: number; slowestMs: number; otherwise: number };
}

const PAUSE_MS = 20;
const MAX_RIDES = 2_000;

/**
 * Reads skiers of both nodes all the time, each node's by a reader of its own: one that waits must not hold up the other.
 * The last node of the stack is the one that will be away.
 */
export class OutageWatch {
  readonly #stack: Pick<Stack, 'nodes' | 'shardCount' | 'laneCount'>;
  readonly #otherRides: CourseRide[] = [];
  readonly #awayRides: CourseRide[] = [];
  readonly #others: Record<Phase, { ms: number[]; failed: number }> = {
    before: { ms: [], failed: 0 },
    during: { ms: [], failed: 0 },
    after: { ms: [], failed: 0 },
  };
  readonly #away = { reads: 0, answered503: 0, slowestMs: 0, otherwise: 0 };
  readonly #stopping = new AbortController();
  readonly #readers: Promise<unknown>;
  #phase: Phase = 'before';

  constructor(readUrl: string, stack: Pick<Stack, 'nodes' | 'shardCount' | 'laneCount'>) {
    this.#stack = stack;
    this.#readers = Promise.all([
      this.#read(readUrl, this.#otherRides, (...seen) => this.#noteOther(...seen)),
      this.#read(readUrl, this.#awayRides, (...seen) => this.#noteAway(...seen)),
    ]);
  }

  /** A ride that was acked: its skier may be asked for. */
  offer(ride: CourseRide): void {
    const { nodes, shardCount, laneCount } = this.#stack;
    const node = laneOf(shardOf(ride.skierId, shardCount), laneCount) % nodes.length;
    const rides = node === nodes.length - 1 ? this.#awayRides : this.#otherRides;
    if (rides.length < MAX_RIDES) rides.push(ride);
  }

  enter(phase: Phase): void {
    this.#phase = phase;
  }

  async stop(): Promise<OutageReads> {
    this.#stopping.abort();
    await this.#readers;
    const seen = (phase: Phase): PhaseReads => {
      const { ms, failed } = this.#others[phase];
      return { ...latencies(ms), reads: ms.length, failed };
    };
    return { others: { before: seen('before'), during: seen('during'), after: seen('after') }, away: this.#away };
  }

  async #read(
    url: string,
    rides: readonly CourseRide[],
    note: (status: number, ms: number, asked: Phase) => void,
  ): Promise<void> {
    const connection = new HttpConnection(url);
    for (let at = 0; !this.#stopping.signal.aborted; at += 1) {
      await delay(PAUSE_MS);
      const ride = rides[at % Math.max(1, rides.length)];
      if (!ride) continue;
      const [asked, askedAt] = [this.#phase, performance.now()];
      const status = await connection.request('GET', courseRequest(ride).path).then(
        (reply) => reply.status,
        () => 0,
      );
      note(status, performance.now() - askedAt, asked);
    }
    connection.close();
  }

  #noteOther(status: number, ms: number, asked: Phase): void {
    const seen = this.#others[asked];
    seen.ms.push(ms);
    if (status !== 200 && status !== 404) seen.failed += 1;
  }

  #noteAway(status: number, ms: number, asked: Phase): void {
    if (asked !== 'during' || this.#phase !== 'during') return;
    this.#away.reads += 1;
    if (status === 503) this.#away.answered503 += 1;
    else this.#away.otherwise += 1;
    this.#away.slowestMs = Math.max(this.#away.slowestMs, ms);
  }
}
