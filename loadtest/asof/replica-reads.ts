import { setTimeout as delay } from 'node:timers/promises';
import { withDirectory } from '../../src/directory/database.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import { readSnapshot } from '../../src/directory/load-snapshot.ts';
import { shardOf } from '../../src/domain/shard.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import type { Stack } from '../stack.ts';
import { startPostgresReplica } from '../stack/postgres-replica.ts';
import type { Acks } from './acks.ts';
import { Judge, type ReadsReport } from './judge.ts';
import { MOST_RIDES } from './questions.ts';
import { skierSubject } from './subjects.ts';

export interface ReplicaOptions {
  stack: Stack;
  /** the node that has the replica */
  node: string;
  /** numbered from 1 */
  skiers: number;
  lifecycle: Lifecycle;
}

/** The reader of rides on a replica that lags. */
export interface Replica {
  history: HistoryReader;
  /** whose rides it has */
  skierIds: number[];
  stop(): Promise<void>;
}

export interface ReplicaReadsOptions {
  replica: Replica;
  readsPerS: number;
  seed: string;
  acks: Acks;
  onLie: () => void;
  signal: AbortSignal;
}

const LAG_MS = 400;
const STOP_MS = 30_000;

/** Asks the replica until the signal: what it says must be true there as well. */
export async function readReplica(o: ReplicaReadsOptions): Promise<ReadsReport> {
  const { skierIds, history } = o.replica;
  const judge = new Judge(o.acks, 'replica', o.onLie);
  const random = seededRandom(`${o.seed}/replica`);
  while (!o.signal.aborted) {
    const skierId = random.pick(skierIds);
    const { found, at } = await history.rides(skierId, { limit: MOST_RIDES + 1 });
    const holds = found.map(({ eventId }) => eventId);
    judge.answered({ subject: skierSubject(skierId), asOf: at.asOf, isStale: false, holds });
    await delay(1_000 / o.readsPerS, undefined, { signal: o.signal }).catch(() => {});
  }
  return judge.report();
}

/** Copies the node's files, which takes seconds: a short run would be over before anything is asked. */
export async function openReplica({ stack, node, skiers, lifecycle: owner }: ReplicaOptions): Promise<Replica> {
  const logger = createLogger({ level: 'error', process: 'replica reads' });
  const lifecycle = new Lifecycle({ logger });
  owner.onStop('replica', () => lifecycle.stop(STOP_MS));
  const primary = stack.nodes.find(({ name }) => name === node);
  if (!primary) throw new Error(`there is no node ${node}`);
  const plan = {
    primary: primary.server,
    primaryDataDir: `${stack.folder}/${node}`,
    dataDir: `${stack.folder}/${node}-replica`,
    delayMs: LAG_MS,
  };
  const server = await startPostgresReplica(plan, lifecycle);
  const snapshot = await withDirectory(stack.directoryUrl, (directory) => directory.read(readSnapshot));
  const [address] = [...snapshot.nodes.values()].filter(({ name }) => name === node);
  if (!address) throw new Error(`the directory knows no node ${node}`);
  const replica = { ...address, url: server.url(node) };
  const directory = staticDirectory({ ...snapshot, nodes: new Map(snapshot.nodes).set(address.nodeId, replica) });
  const nodes = openReadNodes({ poolSize: 2, timeoutMs: 5_000, logger, lifecycle });
  const isHere = (skierId: number) => snapshot.nodeOfShard[shardOf(skierId, snapshot.shardCount)] === address.nodeId;
  const skierIds = Array.from({ length: skiers }, (_, i) => i + 1).filter(isHere);
  return { skierIds, history: createHistoryReader({ directory, nodes }), stop: () => lifecycle.stop(STOP_MS) };
}
