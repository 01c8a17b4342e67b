import { randomUUID } from 'node:crypto';
import { hashDeviceKey } from './device-key.ts';
import { firstNodeOf } from './first-placement.ts';
import { sampleResorts } from './sample-resorts.ts';
import { assembleSnapshot, type DirectorySnapshot } from './snapshot.ts';

/**
 * The directory of a fresh start with the sample resorts, made without a database: for tests and benchmarks.
 *
 * @param o.nodes get the ids 1, 2, ... in order, as a fresh directory would give them
 * @param o.devices get the ids 1, 2, ... in order
 */
export function sampleSnapshot(o: {
  shardCount: number;
  laneCount: number;
  nodes: { name: string; url: string }[];
  devices: { name: string; key: string }[];
}): DirectorySnapshot {
  const resorts = sampleResorts();
  const nodes = o.nodes.map((node, i) => ({ ...node, nodeId: i + 1 }));
  const nodeIds = nodes.map(({ nodeId }) => nodeId);
  return assembleSnapshot({
    version: 1,
    installation: randomUUID(),
    shardCount: o.shardCount,
    laneCount: o.laneCount,
    nodes,
    shards: Array.from({ length: o.shardCount }, (_, shard) => ({
      shard,
      nodeId: firstNodeOf(shard, o.laneCount, nodeIds),
      epoch: 1,
    })),
    resorts,
    lifts: resorts.flatMap(({ resortId, lifts }) => lifts.map((lift) => ({ ...lift, resortId }))),
    seasons: resorts.flatMap(({ resortId, seasons }) => seasons.map((season) => ({ ...season, resortId }))),
    deviceKeys: o.devices.map(({ name, key }, i) => ({ keyHash: hashDeviceKey(key), deviceId: i + 1, name })),
  });
}
