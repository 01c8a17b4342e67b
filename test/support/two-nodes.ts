import { prepareNodes } from '../../src/cli/prepare-nodes.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import type { DirectorySnapshot, NodeAddress } from '../../src/directory/snapshot.ts';
import type { Batch } from '../../src/domain/batch.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import type { Logger } from '../../src/platform/logger.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { openWriteNodes } from '../../src/shards/write-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { freshDatabase } from './postgres.ts';

export const DEVICE_KEY = `ll_dev_${'d'.repeat(43)}`;

/** Two nodes with 8 shards in 2 lanes and the sample resorts; no directory's database. */
export interface TwoNodes {
  /** the nodes as readers see them, behind the proxies */
  snapshot: DirectorySnapshot;
  proxies: ReadonlyMap<number, FaultProxy>;
  /** the URL of a node's database itself */
  urlOf(nodeId: number): string;
  /** stores a job as a worker does, past the proxies */
  store(lane: number, batch: Batch, jobId: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param o.lifecycle is to be stopped before the nodes are */
export async function startTwoNodes(o: { logger: Logger; lifecycle: Lifecycle }): Promise<TwoNodes> {
  const databases = [await freshDatabase(), await freshDatabase()];
  const direct = snapshotOf(databases.map(({ url }) => url));
  await prepareNodes(direct);
  const proxies = await Promise.all(databases.map(({ url }) => startFaultProxy(url)));
  const writeNodes = openWriteNodes({ poolSize: 2, statementTimeoutMs: 10_000, ...o });
  const addressOf = (nodeId: number) => direct.nodes.get(nodeId) as NodeAddress;
  return {
    snapshot: snapshotOf(proxies.map(({ url }) => url)),
    proxies: new Map([...direct.nodes.keys()].map((nodeId, i) => [nodeId, proxies[i] as FaultProxy])),
    urlOf: (nodeId) => addressOf(nodeId).url,
    async store(lane, batch, jobId) {
      for (const [nodeId, part] of splitByNode(batch, jobId, direct)) {
        await storeParts(writeNodes.of(addressOf(nodeId)), lane, [part]);
      }
    },
    async stop() {
      for (const proxy of proxies) await proxy.close();
      for (const database of databases) await database.drop();
    },
  };
}

function snapshotOf(urls: string[]): DirectorySnapshot {
  return sampleSnapshot({
    shardCount: 8,
    laneCount: 2,
    nodes: urls.map((url, i) => ({ name: `node-${i + 1}`, url })),
    devices: [{ name: 'gate', key: DEVICE_KEY }],
  });
}
