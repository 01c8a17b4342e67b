import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { prepareNode } from '../shards/migrate-node.ts';

/** Brings every node's tables up to date and gives it the leaves of the shards that the map puts there. */
export async function prepareNodes(snapshot: DirectorySnapshot): Promise<void> {
  const shardsOf = Map.groupBy(snapshot.nodeOfShard.keys(), (shard) => snapshot.nodeOfShard[shard]);
  for (const { nodeId, url } of snapshot.nodes.values()) await prepareNode(url, shardsOf.get(nodeId) ?? []);
}
