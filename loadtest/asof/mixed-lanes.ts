import { Client } from 'pg';
import { withDirectory } from '../../src/directory/database.ts';
import { readSnapshot } from '../../src/directory/load-snapshot.ts';
import { laneOf, shardSchema } from '../../src/domain/shard.ts';
import { prepareNode } from '../../src/shards/migrate-node.ts';
import type { Stack } from '../stack.ts';

/** Of four lanes the first and the last stay whole. */
const MIXED_LANES = [1, 2];

/**
 * Gives every second shard of some lanes to the other node, while there is nothing in them: a job of such a lane has parts
 * for two nodes, and one of them goes back to the queue when its node is away.
 */
export async function mixLanes({ directoryUrl, nodes, laneCount }: Stack): Promise<void> {
  const map = await withDirectory(directoryUrl, (directory) => directory.read(readSnapshot));
  const places = [...map.nodes.values()].map(({ nodeId, name }) => ({ nodeId, url: urlOf(nodes, name) }));
  for (const from of places) {
    const to = places.find(({ nodeId }) => nodeId !== from.nodeId);
    if (!to) throw new Error('there is one node only');
    const leaving = [...map.nodeOfShard.entries()].flatMap(([shard, nodeId]) =>
      nodeId === from.nodeId && isToMove(shard, laneCount) ? [shard] : [],
    );
    await prepareNode(to.url, leaving);
    await onDatabase(directoryUrl, 'UPDATE shards SET node_id = $1, epoch = epoch + 1 WHERE shard = ANY ($2)', [
      to.nodeId,
      leaving,
    ]);
    // who still has the old map is told so by Postgres
    for (const shard of leaving) await onDatabase(from.url, `DROP SCHEMA ${shardSchema(shard)} CASCADE`);
  }
}

function isToMove(shard: number, laneCount: number): boolean {
  return MIXED_LANES.includes(laneOf(shard, laneCount)) && Math.floor(shard / laneCount) % 2 === 1;
}

function urlOf(nodes: Stack['nodes'], name: string): string {
  const node = nodes.find((one) => one.name === name);
  if (!node) throw new Error(`there is no node ${name}`);
  return node.url;
}

async function onDatabase(url: string, text: string, values?: unknown[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text, values);
  } finally {
    await client.end();
  }
}
