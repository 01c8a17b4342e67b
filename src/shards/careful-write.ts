import type { Pool, PoolClient } from 'pg';
import type { BatchPart, WriteOutcome } from './batch-part.ts';
import { classify, sqlStateOf } from './sqlstates.ts';
import { STORE_SCANS } from './store-statement.ts';
import { batchIds, type PlacedScan, placeScans, scanColumns, shardsOf } from './store-values.ts';

interface DeadScan {
  part: BatchPart;
  /** null when the whole job could not be read */
  shard: number | null;
  code: string;
  detail: string;
  payload: unknown;
}

/** Another worker has stored one of the jobs while this write was under way. */
class StoredMeanwhile extends Error {}

/**
 * Stores what can be stored and writes dead letters for the rest, in one transaction: scans are halved again and again
 * until the ones that Postgres refuses stand alone. Shards that a job's ledger row covers already are left out.
 *
 * @throws everything but the errors that lie in a row; nothing is changed then
 */
export async function writeCarefully(pool: Pool, lane: number, parts: readonly BatchPart[]): Promise<WriteOutcome> {
  try {
    return await writeInTransaction(pool, lane, parts);
  } catch (error) {
    if (!(error instanceof StoredMeanwhile)) throw error;
    return writeInTransaction(pool, lane, parts); // the other one has committed: now its ledger row is seen
  }
}

async function writeInTransaction(pool: Pool, lane: number, parts: readonly BatchPart[]): Promise<WriteOutcome> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const open = await openParts(client, parts);
    const write = new CarefulWrite(client, open);
    await write.store(placeScans(open));
    await write.keepBooks(lane);
    await client.query('COMMIT');
    client.release();
    return write.outcome();
  } catch (error) {
    client.release(true); // the transaction ends with its connection, which also works when that no longer answers
    throw error;
  }
}

/** What the ledger does not know yet. */
async function openParts(client: PoolClient, parts: readonly BatchPart[]): Promise<BatchPart[]> {
  const { rows } = await client.query<{ batch_id: string; shards: number[] }>(
    'SELECT batch_id, shards FROM ledger WHERE batch_id = ANY ($1::uuid[]) FOR UPDATE',
    [batchIds(parts)],
  );
  const covered = new Map(rows.map(({ batch_id, shards }) => [batch_id, new Set(shards)]));
  return parts.flatMap((part) => {
    const known = covered.get(part.batchId);
    if (!known) return [part];
    const left = part.shards
      .map((shard, i) => ({ shard, scan: part.scans[i] }))
      .filter(({ shard }) => !known.has(shard));
    if (left.length === 0) return [];
    return [{ ...part, scans: left.flatMap(({ scan }) => scan ?? []), shards: left.map(({ shard }) => shard) }];
  });
}

class CarefulWrite {
  readonly #client: PoolClient;
  readonly #parts: BatchPart[];
  readonly #persisted = new Map<string, number>();
  readonly #dead: DeadScan[];

  constructor(client: PoolClient, parts: BatchPart[]) {
    this.#client = client;
    this.#parts = parts;
    this.#dead = parts.flatMap((part) => {
      const { unreadable } = part;
      if (!unreadable) return [];
      return [{ part, shard: null, code: 'unreadable', detail: unreadable.reason, payload: unreadable.payload }];
    });
  }

  async store(placed: PlacedScan[]): Promise<void> {
    const [first] = placed;
    if (!first) return;
    const refusal = await this.#tryToStore(placed);
    if (!refusal) return;
    if (placed.length === 1) {
      const part = this.#parts[first.part] as BatchPart;
      const code = sqlStateOf(refusal) ?? 'unknown';
      this.#dead.push({ part, shard: first.shard, code, detail: refusal.message, payload: first.scan });
      return;
    }
    const half = Math.ceil(placed.length / 2);
    await this.store(placed.slice(0, half));
    await this.store(placed.slice(half));
  }

  /** Dead letters and ledger rows. @throws StoredMeanwhile */
  async keepBooks(lane: number): Promise<void> {
    for (const { part, shard, code, detail, payload } of this.#dead) {
      await this.#client.query(
        `INSERT INTO dead_letters (shard, lane, batch_id, code, detail, payload, accepted_at)
         VALUES ($1, $2, $3, $4, $5, $6::json, to_timestamp($7::float8 / 1000))`,
        [
          shard,
          lane,
          part.batchId,
          code,
          detail.replaceAll('\0', ''),
          JSON.stringify(payload ?? null),
          part.acceptedAt,
        ],
      );
    }
    for (const part of this.#parts) {
      const { scans, persisted, dead } = this.#countsOf(part);
      const { rowCount } = await this.#client.query(
        `INSERT INTO ledger (batch_id, job_id, accepted_at, lane, jobs, scans, persisted, duplicate, dead, shards)
         VALUES ($1, $2, to_timestamp($3::float8 / 1000), $4, $5, $6::int, $7::int, $6::int - $7::int - $8::int, $8::int, $9)
         ON CONFLICT (batch_id) DO UPDATE SET
           scans = ledger.scans + excluded.scans, persisted = ledger.persisted + excluded.persisted,
           duplicate = ledger.duplicate + excluded.duplicate, dead = ledger.dead + excluded.dead,
           shards = ledger.shards || excluded.shards
           WHERE NOT ledger.shards @> excluded.shards`,
        [part.batchId, part.jobId, part.acceptedAt, lane, part.jobs, scans, persisted, dead, shardsOf(part)],
      );
      if (rowCount !== 1) throw new StoredMeanwhile(`job ${part.jobId} was stored by another worker`);
    }
  }

  outcome(): WriteOutcome {
    const outcome = { persisted: 0, duplicate: 0, dead: 0 };
    for (const part of this.#parts) {
      const { scans, persisted, dead } = this.#countsOf(part);
      outcome.persisted += persisted;
      outcome.dead += dead;
      outcome.duplicate += scans - persisted - dead;
    }
    return outcome;
  }

  #countsOf(part: BatchPart): { scans: number; persisted: number; dead: number } {
    const persisted = this.#persisted.get(part.batchId) ?? 0;
    if (part.unreadable) return { scans: part.unreadable.scans, persisted, dead: part.unreadable.scans };
    return { scans: part.scans.length, persisted, dead: this.#dead.filter((scan) => scan.part === part).length };
  }

  /** @returns why Postgres refused, when the reason lies in one of the rows */
  async #tryToStore(placed: PlacedScan[]): Promise<Error | undefined> {
    await this.#client.query('SAVEPOINT attempt');
    try {
      const { rows } = await this.#client.query<{ batch_id: string; persisted: number }>({
        ...STORE_SCANS,
        values: [batchIds(this.#parts), ...scanColumns(placed)],
      });
      await this.#client.query('RELEASE SAVEPOINT attempt');
      for (const { batch_id, persisted } of rows) {
        this.#persisted.set(batch_id, (this.#persisted.get(batch_id) ?? 0) + persisted);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof Error) || classify(error) !== 'permanent') throw error;
      await this.#client.query('ROLLBACK TO SAVEPOINT attempt');
      return error;
    }
  }
}
