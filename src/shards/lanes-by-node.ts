import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { laneOf } from '../domain/shard.ts';

/** @returns for each node that has shards the lanes that these belong to */
export function lanesByNode({
  nodeOfShard,
  laneCount,
}: Pick<DirectorySnapshot, 'nodeOfShard' | 'laneCount'>): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (const [shard, nodeId] of nodeOfShard.entries()) {
    const lanes = found.get(nodeId) ?? new Set<number>();
    found.set(nodeId, lanes.add(laneOf(shard, laneCount)));
  }
  return found;
}
