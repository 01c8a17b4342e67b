import type { DirectoryFollower } from '../directory/follower.ts';
import type { BacklogReader } from '../queue/backlog-reader.ts';
import type { LaneBacklog } from '../queue/backlog.ts';
import { type LaneLedger, type NodeLedger, readNodeLedger } from '../shards/ledger-reader.ts';
import type { ReadNodes } from '../shards/read-nodes.ts';
import { type LaneBooks, laneBooks } from './conservation.ts';

export interface PipelineSources {
  follower: Pick<DirectoryFollower, 'snapshot'>;
  backlog: BacklogReader;
  nodes: ReadNodes;
}

/** Everything between the acks and the tables at one moment, as far as it could be seen. */
export interface PipelineState {
  /** undefined when the queue does not answer */
  lanes: LaneBacklog[] | undefined;
  nodes: { nodeId: number; name: string; ledger: NodeLedger | undefined }[];
  /** undefined unless the queue and every node answer: a sum with a part missing would be a lie */
  books: LaneBooks[] | undefined;
}

export interface Pipeline {
  /** Never throws because of the queue or a node: what is missing is undefined. Callers at the same time share one look. */
  read(): Promise<PipelineState>;
}

export function createPipeline(sources: PipelineSources): Pipeline {
  let running: Promise<PipelineState> | undefined;
  return {
    read() {
      running ??= look(sources).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** Twice at the queue, with the ledgers between, as {@link laneBooks} needs it. */
async function look({ follower, backlog, nodes: reach }: PipelineSources): Promise<PipelineState> {
  const addresses = [...follower.snapshot().nodes.values()];
  const before = await orUndefined(backlog.read());
  const nodes = await Promise.all(
    addresses.map(async (address) => {
      const ledger = await orUndefined(reach.of(address).run((node) => readNodeLedger(node.pool)));
      return { nodeId: address.nodeId, name: address.name, ledger };
    }),
  );
  const after = before === undefined ? undefined : await orUndefined(backlog.read());
  return { lanes: after, nodes, books: booksOf(before, nodes, after) };
}

function booksOf(
  before: LaneBacklog[] | undefined,
  nodes: PipelineState['nodes'],
  after: LaneBacklog[] | undefined,
): LaneBooks[] | undefined {
  const ledgers = nodes.map(({ ledger }) => ledger);
  if (!before || !after || ledgers.includes(undefined)) return undefined;
  const entries = ledgers.flatMap((ledger) => ledger?.lanes ?? []);
  return after.map((lane) => {
    const earlier = before.find((entry) => entry.lane === lane.lane) ?? lane;
    return laneBooks(earlier, sumOf(lane.lane, entries), lane);
  });
}

function sumOf(lane: number, entries: LaneLedger[]): LaneLedger {
  const sum = { lane, jobs: 0, persisted: 0, duplicate: 0, dead: 0 };
  for (const entry of entries.filter((candidate) => candidate.lane === lane)) {
    sum.jobs += entry.jobs;
    sum.persisted += entry.persisted;
    sum.duplicate += entry.duplicate;
    sum.dead += entry.dead;
  }
  return sum;
}

/** Whoever asks learns from the metrics and the status that it was away; its own room logs why. */
async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch {
    return undefined;
  }
}
