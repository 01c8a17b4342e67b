import type { DirectoryFollower } from '../../directory/follower.ts';
import { laneOf } from '../../domain/shard.ts';
import { oldestAgeMs } from '../../queue/backlog.ts';
import type { Pipeline, PipelineState } from '../pipeline.ts';
import { Rates } from './rates.ts';

/** How many processes of a kind follow the directory; undefined while that does not answer. */
export type ProcessCounts = ReadonlyMap<string, number> | undefined;

export interface LaneView {
  lane: number;
  /** undefined while the queue does not answer */
  scans: number | undefined;
  oldestAgeS: number | undefined;
  failedJobs: number;
  /** seconds that what readers are told is behind, the largest of its nodes; undefined when nobody knows */
  behindS: number | undefined;
  takenPerS: number | undefined;
  storedPerS: number | undefined;
}

export interface NodeView {
  name: string;
  isUp: boolean;
  shards: number[];
  deadLetters: number | undefined;
  storedPerS: number | undefined;
}

/** The pipeline as a page shows it. */
export interface PipelineView {
  processes: ProcessCounts;
  lanes: LaneView[];
  nodes: NodeView[];
  /** scans; undefined unless everything answers */
  sums: { enqueued: number; persisted: number; duplicate: number; dead: number; inFlight: number } | undefined;
  /** jobs that the queue and the ledgers tell differently of */
  unaccounted: number | null | undefined;
  directoryAwayS: number | undefined;
  isQueueUp: boolean;
}

export interface PipelineViewSources {
  pipeline: Pipeline;
  follower: Pick<DirectoryFollower, 'snapshot' | 'secondsSinceContact'>;
  /** by lane, milliseconds since the epoch on the lane's clock, of one node; @throws when it does not answer */
  lanesAsOf: (nodeId: number) => Promise<ReadonlyMap<number, number | null>>;
  /** @throws when the directory does not answer */
  countProcesses: () => Promise<ReadonlyMap<string, number>>;
}

interface Look {
  /** when it began, on the clock of `performance.now` */
  atMs: number;
  state: PipelineState;
}

/** All who watch share a look that is younger than this. */
const LOOK_MS = 1_000;
/** A directory that has not answered for longer than a few of its polls. */
const DIRECTORY_AWAY_S = 15;

/** Looks at the pipeline for those who watch it. What is away is shown as away. */
export class PipelineWatch {
  readonly #o: PipelineViewSources;
  readonly #rates = new Rates();
  #looking: Promise<PipelineView> | undefined;
  #last: { atMs: number; view: PipelineView } | undefined;

  constructor(o: PipelineViewSources) {
    this.#o = o;
  }

  /** @throws Problem `starting` when this process has never seen the directory */
  async view(): Promise<PipelineView> {
    if (this.#last && performance.now() - this.#last.atMs < LOOK_MS) return this.#last.view;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<PipelineView> {
    const atMs = performance.now();
    const view = await this.#viewOf({ atMs, state: await this.#o.pipeline.read() });
    this.#last = { atMs, view };
    return view;
  }

  async #viewOf(look: Look): Promise<PipelineView> {
    const { follower, countProcesses } = this.#o;
    const { state } = look;
    const awayS = follower.secondsSinceContact();
    const [processes, asOf] = await Promise.all([countProcesses().catch(() => undefined), this.#asOfByLane()]);
    const sums = state.books && {
      enqueued: sum(state.books, 'enqueued'),
      persisted: sum(state.books, 'persisted'),
      duplicate: sum(state.books, 'duplicate'),
      dead: sum(state.books, 'dead'),
      inFlight: sum(state.books, 'inFlight'),
    };
    const counted = state.books?.map(({ jobsUnaccounted }) => jobsUnaccounted);
    return {
      processes,
      lanes: this.#lanes(look, asOf),
      nodes: this.#nodes(look),
      sums,
      unaccounted: counted?.includes(null) ? null : counted?.reduce<number>((total, n) => total + (n ?? 0), 0),
      directoryAwayS: awayS < DIRECTORY_AWAY_S ? undefined : Math.round(awayS),
      isQueueUp: state.lanes !== undefined,
    };
  }

  #lanes({ atMs, state }: Look, asOf: ReadonlyMap<number, number | null>): LaneView[] {
    const { laneCount } = this.#o.follower.snapshot();
    return Array.from({ length: laneCount }, (_, lane) => {
      const backlog = state.lanes?.find((entry) => entry.lane === lane);
      const books = state.books?.find((entry) => entry.lane === lane);
      const told = asOf.get(lane);
      const ageMs = backlog && oldestAgeMs(backlog);
      const stored = books && books.persisted + books.duplicate + books.dead;
      return {
        lane,
        scans: backlog?.scans,
        oldestAgeS: ageMs === null ? 0 : ageMs && ageMs / 1000,
        failedJobs: backlog?.failedJobs ?? 0,
        behindS: backlog && typeof told === 'number' ? Math.max(0, backlog.takenAt - told) / 1000 : undefined,
        takenPerS: this.#rates.next({ of: `taken by lane ${lane}`, atMs, count: books?.enqueued }),
        storedPerS: this.#rates.next({ of: `stored of lane ${lane}`, atMs, count: stored }),
      };
    });
  }

  #nodes({ atMs, state }: Look): NodeView[] {
    const { nodeOfShard } = this.#o.follower.snapshot();
    return state.nodes.map(({ nodeId, name, ledger }) => ({
      name,
      isUp: ledger !== undefined,
      shards: [...nodeOfShard.keys()].filter((shard) => nodeOfShard[shard] === nodeId),
      deadLetters: ledger?.deadLetters,
      storedPerS: this.#rates.next({
        of: `stored by node ${nodeId}`,
        atMs,
        count: ledger && sum(ledger.lanes, 'persisted'),
      }),
    }));
  }

  /** Of each lane the earliest that one of its nodes tells; null when one does not know. */
  async #asOfByLane(): Promise<Map<number, number | null>> {
    const { nodeOfShard, laneCount } = this.#o.follower.snapshot();
    const found = new Map<number, number | null>();
    const told = await Promise.all(
      [...new Set(nodeOfShard)].map(async (nodeId) => {
        const lanes = await this.#o.lanesAsOf(nodeId).catch(() => new Map<number, number | null>());
        return { nodeId, lanes };
      }),
    );
    for (const { nodeId, lanes } of told) {
      for (const [shard, node] of nodeOfShard.entries()) {
        if (node !== nodeId) continue;
        const lane = laneOf(shard, laneCount);
        found.set(lane, earliest(found.get(lane), lanes.get(lane) ?? null));
      }
    }
    return found;
  }
}

function earliest(known: number | null | undefined, other: number | null): number | null {
  if (known === undefined) return other;
  return known === null || other === null ? null : Math.min(known, other);
}

function sum<K extends string>(entries: readonly Record<K, number>[], field: K): number {
  return entries.reduce((total, entry) => total + entry[field], 0);
}
