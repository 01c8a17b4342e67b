import type { DirectoryFollower } from '../../directory/follower.ts';
import { laneOf } from '../../domain/shard.ts';
import { oldestAgeMs } from '../../queue/backlog.ts';
import type { Pipeline, PipelineState } from '../pipeline.ts';

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
  atMs: number;
  state: PipelineState;
}

/** All who watch share a look that is younger than this. */
const LOOK_MS = 1_000;
/** Rates are told over at least so long. */
const RATE_MS = 1_500;
/** A directory that has not answered for longer than a few of its polls. */
const DIRECTORY_AWAY_S = 15;

/** Looks at the pipeline for those who watch it; never throws: what is away is shown as away. */
export class PipelineWatch {
  readonly #o: PipelineViewSources;
  #earlier: Look | undefined;
  #last: { look: Look; view: Promise<PipelineView> } | undefined;

  constructor(o: PipelineViewSources) {
    this.#o = o;
  }

  async view(): Promise<PipelineView> {
    if (this.#last && performance.now() - this.#last.look.atMs < LOOK_MS) return this.#last.view;
    const look = { atMs: performance.now(), state: await this.#o.pipeline.read() };
    if (this.#last && look.atMs - this.#last.look.atMs >= RATE_MS) this.#earlier = this.#last.look;
    else this.#earlier ??= this.#last?.look;
    const view = this.#viewOf(look, this.#earlier);
    this.#last = { look, view };
    return view;
  }

  async #viewOf(look: Look, earlier: Look | undefined): Promise<PipelineView> {
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
      lanes: this.#lanes(look, earlier, asOf),
      nodes: this.#nodes(look, earlier),
      sums,
      unaccounted: counted?.includes(null) ? null : counted?.reduce<number>((total, n) => total + (n ?? 0), 0),
      directoryAwayS: awayS < DIRECTORY_AWAY_S ? undefined : Math.round(awayS),
      isQueueUp: state.lanes !== undefined,
    };
  }

  #lanes(look: Look, earlier: Look | undefined, asOf: ReadonlyMap<number, number | null>): LaneView[] {
    const { laneCount } = this.#o.follower.snapshot();
    const seconds = earlier && (look.atMs - earlier.atMs) / 1000;
    const rate = (lane: number, of: (books: NonNullable<PipelineState['books']>[number]) => number) => {
      const [now, before] = [look, earlier].map((one) => one?.state.books?.find((books) => books.lane === lane));
      return now && before && seconds ? Math.max(0, of(now) - of(before)) / seconds : undefined;
    };
    return Array.from({ length: laneCount }, (_, lane) => {
      const backlog = look.state.lanes?.find((entry) => entry.lane === lane);
      const told = asOf.get(lane);
      const ageMs = backlog && oldestAgeMs(backlog);
      return {
        lane,
        scans: backlog?.scans,
        oldestAgeS: ageMs === null ? 0 : ageMs && ageMs / 1000,
        failedJobs: backlog?.failedJobs ?? 0,
        behindS: backlog && typeof told === 'number' ? Math.max(0, backlog.takenAt - told) / 1000 : undefined,
        takenPerS: rate(lane, ({ enqueued }) => enqueued),
        storedPerS: rate(lane, ({ persisted, duplicate, dead }) => persisted + duplicate + dead),
      };
    });
  }

  #nodes(look: Look, earlier: Look | undefined): NodeView[] {
    const { nodeOfShard } = this.#o.follower.snapshot();
    const seconds = earlier && (look.atMs - earlier.atMs) / 1000;
    const stored = (nodeId: number, of: Look | undefined) =>
      of?.state.nodes
        .find((node) => node.nodeId === nodeId)
        ?.ledger?.lanes.reduce((total, lane) => total + lane.persisted, 0);
    return look.state.nodes.map(({ nodeId, name, ledger }) => {
      const [now, before] = [stored(nodeId, look), stored(nodeId, earlier)];
      return {
        name,
        isUp: ledger !== undefined,
        shards: [...nodeOfShard.keys()].filter((shard) => nodeOfShard[shard] === nodeId),
        deadLetters: ledger?.deadLetters,
        storedPerS:
          now !== undefined && before !== undefined && seconds ? Math.max(0, now - before) / seconds : undefined,
      };
    });
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
