import { laneOf } from '../domain/shard.ts';

/** All shards of a lane start on one node, so that a dead node backs up only its own lanes. */
export function firstNodeOf(shard: number, laneCount: number, nodeIds: readonly number[]): number {
  return nodeIds[laneOf(shard, laneCount) % nodeIds.length] as number;
}
