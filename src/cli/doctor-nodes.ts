import type { DirectorySnapshot, NodeAddress } from '../directory/snapshot.ts';
import { attachedShards, pendingNodeMigrations } from '../shards/migrate-node.ts';
import { onDatabase, readServerFacts, type ServerFacts } from './doctor-database.ts';
import { attempt, type Finding, fail, ok } from './doctor-finding.ts';

/** What was learned of the nodes; one that is away is in none of the maps. */
export interface NodesReport {
  findings: Finding[];
  /** the shards that each node really serves, by its id */
  attached: Map<number, readonly number[]>;
  /** by the node's URL */
  servers: Map<string, ServerFacts>;
}

/** Whether each node answers and is up to date, and whether all of them together hold each shard once, where the map says. */
export async function checkNodes(snapshot: DirectorySnapshot): Promise<NodesReport> {
  const report: NodesReport = { findings: [], attached: new Map(), servers: new Map() };
  const nodes = [...snapshot.nodes.values()];
  const found = await Promise.all(nodes.map((node) => checkNode(node, report)));
  const placement = checkPlacement(snapshot, report.attached);
  return { ...report, findings: [...found.flat(), ...placement] };
}

function checkNode({ nodeId, name, url }: NodeAddress, report: NodesReport): Promise<Finding[]> {
  const check = `node ${name}`;
  return attempt(check, `bring it back, or give it its new address: liftline init --node ${name}=URL`, () =>
    onDatabase(url, async (sql) => {
      const pending = await pendingNodeMigrations(sql);
      report.servers.set(url, await readServerFacts(sql));
      if (pending.length > 0)
        return [fail(check, `its tables lack ${pending.join(', ')}`, 'run liftline init with all nodes')];
      const shards = await attachedShards(sql);
      report.attached.set(nodeId, shards);
      return [ok(check, `answers, is up to date, serves ${shards.length} shards`)];
    }),
  );
}

const FIX_MISSING = 'run liftline init with all nodes, which makes empty tables; restore a backup if they held rides';
const FIX_STRAY =
  'see that each node has its own address (liftline init --node NAME=URL); if so, detach it there in psql: ALTER TABLE scans DETACH PARTITION shard_NN.scans, and skier_days alike';

/** @param attached the shards that each node serves, by its id; without the nodes that are away */
export function checkPlacement(
  { nodes, nodeOfShard }: Pick<DirectorySnapshot, 'nodes' | 'nodeOfShard'>,
  attached: ReadonlyMap<number, readonly number[]>,
): Finding[] {
  const findings: Finding[] = [];
  for (const [nodeId, here] of attached) {
    const name = nodes.get(nodeId)?.name ?? String(nodeId);
    const wanted = [...nodeOfShard.keys()].filter((shard) => nodeOfShard[shard] === nodeId);
    const missing = wanted.filter((shard) => !here.includes(shard));
    const stray = here.filter((shard) => nodeOfShard[shard] !== nodeId);
    if (missing.length > 0)
      findings.push(fail('shards', `node ${name} lacks shard ${missing.join(', ')}`, FIX_MISSING));
    if (stray.length > 0)
      findings.push(fail('shards', `node ${name} serves shard ${stray.join(', ')}, which is not its own`, FIX_STRAY));
  }
  if (findings.length > 0 || attached.size === 0) return findings;
  const seen = [...attached.values()].reduce((total, here) => total + here.length, 0);
  const away = attached.size < nodes.size ? '; the others are on nodes that do not answer' : '';
  return [ok('shards', `${seen} of ${nodeOfShard.length} are where the map says, each once${away}`)];
}
