import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Problem } from '../domain/problem.ts';
import { type DirectoryQueries, withDirectory } from './database.ts';
import { firstNodeOf } from './first-placement.ts';
import { inputProblems } from './input-problems.ts';
import { readSnapshot } from './load-snapshot.ts';
import { migrateDirectory } from './migrate.ts';
import * as tables from './schema.ts';
import type { DirectorySnapshot } from './snapshot.ts';

const MAX_SHARDS = 1024;

/** What a directory is made with. The counts stay as they are for ever; URLs may change and nodes may be added. */
export interface DirectoryPlan {
  directoryUrl: string;
  /** at least one; names are unique, of a-z, 0-9 and - */
  nodes: { name: string; url: string }[];
  /** 1 to 1024 */
  shardCount: number;
  /** 1 to shardCount */
  laneCount: number;
}

const planSchema = z
  .object({
    nodes: z
      .array(
        z.object({
          name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -'),
          url: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
        }),
      )
      .min(1, 'at least one node is needed'),
    shardCount: z.int().min(1).max(MAX_SHARDS),
    laneCount: z.int().min(1),
  })
  .refine(({ laneCount, shardCount }) => laneCount <= shardCount, 'there must not be more lanes than shards')
  .refine(({ nodes }) => new Set(nodes.map(({ name }) => name)).size === nodes.length, 'node names must be unique');

type Plan = z.infer<typeof planSchema>;

/**
 * Makes the directory or brings it up to date: tables, settings, nodes, and at the first time the shard map, in which all
 * shards of a lane are on one node. Doing it again changes nothing but the URLs of nodes and nodes that are new; shards
 * stay where they are.
 *
 * @returns the directory afterwards, from which to prepare each node for its shards
 * @throws Problem `invalid` for a plan that makes no sense, `conflict` when the directory has other counts or is of
 *   another format, `directory_unavailable`; MigrationError when a newer version wrote it
 */
export async function initDirectory(plan: DirectoryPlan): Promise<DirectorySnapshot> {
  const parsed = planSchema.safeParse(plan);
  if (!parsed.success) throw new Problem('invalid', inputProblems(parsed.error).join('; '));
  await migrateDirectory(plan.directoryUrl);
  return withDirectory(plan.directoryUrl, (directory) =>
    directory.change(async (db) => {
      await settle(db, parsed.data);
      await upsertNodes(db, parsed.data.nodes);
      await placeShards(db, parsed.data);
      return readSnapshot(db);
    }),
  );
}

async function settle(db: DirectoryQueries, { shardCount, laneCount }: Plan): Promise<void> {
  const [settled] = await db.select().from(tables.settings);
  if (!settled) {
    await db.insert(tables.settings).values({ formatVersion: tables.FORMAT_VERSION, shardCount, laneCount });
    return;
  }
  if (settled.formatVersion !== tables.FORMAT_VERSION) {
    throw new Problem('conflict', `the directory is of format ${settled.formatVersion}, not ${tables.FORMAT_VERSION}`);
  }
  if (settled.shardCount !== shardCount || settled.laneCount !== laneCount) {
    const counts = `${settled.shardCount} shards and ${settled.laneCount} lanes, not ${shardCount} and ${laneCount}`;
    throw new Problem('conflict', `the directory was made with ${counts}; this can't be changed`);
  }
}

async function upsertNodes(db: DirectoryQueries, nodes: Plan['nodes']): Promise<void> {
  const urls = new Map((await db.select().from(tables.nodes)).map(({ name, url }) => [name, url]));
  const changed = nodes.filter(({ name, url }) => urls.get(name) !== url);
  if (changed.length === 0) return;
  await db
    .insert(tables.nodes)
    .values(changed)
    .onConflictDoUpdate({ target: tables.nodes.name, set: { url: sql`excluded.url` } });
}

async function placeShards(db: DirectoryQueries, { nodes, shardCount, laneCount }: Plan): Promise<void> {
  if ((await db.$count(tables.shards)) > 0) return;
  const idOf = new Map((await db.select().from(tables.nodes)).map(({ name, nodeId }) => [name, nodeId]));
  const nodeIds = nodes.map(({ name }) => idOf.get(name) as number);
  const placed = Array.from({ length: shardCount }, (_, shard) => ({
    shard,
    nodeId: firstNodeOf(shard, laneCount, nodeIds),
  }));
  await db.insert(tables.shards).values(placed);
}
