import type { Pool } from 'pg';
import type { BatchPart, WriteOutcome } from './batch-part.ts';
import { writeCarefully } from './careful-write.ts';
import { classify } from './sqlstates.ts';
import { STORE_PARTS } from './store-statement.ts';
import { batchIds, ledgerColumns, placeScans, scanColumns, shardsOf } from './store-values.ts';

interface WrittenRow {
  batch_id: string;
  persisted: number;
  duplicate: number;
  coveredShards: number[] | null;
}

/**
 * Stores parts of jobs on a node, and resolves after the COMMIT. Nearly always that is one statement and one round trip; a
 * write that Postgres refuses for a reason that lies in a row is taken apart, and what can't be stored becomes a dead letter.
 * A job that was stored before is left alone, so that a write may be repeated as often as it takes.
 *
 * @param parts of one lane, at least one
 * @throws whatever else the node answers, or does not answer: the write may have happened then, and may be repeated
 */
export async function storeParts(pool: Pool, lane: number, parts: readonly BatchPart[]): Promise<WriteOutcome> {
  // a job that came back while its first run still waited is one job
  const different = [...new Map(parts.map((part) => [part.batchId, part])).values()];
  if (different.some(({ unreadable }) => unreadable)) return writeCarefully(pool, lane, different);
  try {
    return await storeAtOnce(pool, lane, different);
  } catch (error) {
    if (classify(error) !== 'permanent') throw error;
    return writeCarefully(pool, lane, different);
  }
}

async function storeAtOnce(pool: Pool, lane: number, parts: BatchPart[]): Promise<WriteOutcome> {
  const { rows } = await pool.query<WrittenRow>({
    ...STORE_PARTS,
    values: [batchIds(parts), ...scanColumns(placeScans(parts)), ...ledgerColumns(lane, parts)],
  });
  const outcome = { persisted: 0, duplicate: 0, dead: 0 };
  const covered = new Map<string, number[]>();
  for (const row of rows) {
    outcome.persisted += row.persisted;
    outcome.duplicate += row.duplicate;
    if (row.coveredShards) covered.set(row.batch_id, row.coveredShards);
  }
  const uncovered = parts.filter((part) => !covers(covered.get(part.batchId), part));
  return uncovered.length === 0 ? outcome : add(outcome, await writeCarefully(pool, lane, uncovered));
}

/** No shards told: this write stored the part, or another one at the same moment. The row of an earlier one may not know a shard that came since. */
function covers(shards: number[] | undefined, part: BatchPart): boolean {
  return shards === undefined || shardsOf(part).every((shard) => shards.includes(shard));
}

function add(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  return { persisted: a.persisted + b.persisted, duplicate: a.duplicate + b.duplicate, dead: a.dead + b.dead };
}
