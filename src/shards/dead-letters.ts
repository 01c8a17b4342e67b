import type { Pool } from 'pg';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { Batch } from '../domain/batch.ts';
import { Problem } from '../domain/problem.ts';
import type { Scan } from '../domain/scan.ts';
import { decodeBatch, UnreadableBatch } from '../queue/codec.ts';
import type { ReadNodes } from './read-nodes.ts';

/** What could not be stored, with the reason. */
export interface DeadLetter {
  deadLetterId: string;
  lane: number;
  /** of the scan; null for a job that could not be read */
  shard: number | null;
  /** the job it came in */
  batchId: string;
  /** the SQLSTATE that refused the scan, or `unreadable` for a whole job */
  code: string;
  detail: string;
  /** milliseconds since the epoch */
  acceptedAt: number;
  diedAt: number;
  /** the scan; or, for a job that could not be read, its data as it was */
  payload: unknown;
}

/** Which dead letters: all, or those that fit every field that is there. */
export interface DeadLetterFilter {
  lane?: number;
  shard?: number;
  code?: string;
  /** died then or later, milliseconds since the epoch */
  since?: number;
  /** died earlier */
  before?: number;
}

export interface DeadLetters {
  /** the newest first, of all nodes */
  list(o: DeadLetterFilter & { limit: number }): Promise<DeadLetter[]>;
  /** @throws Problem `not_found` */
  show(deadLetterId: string): Promise<DeadLetter>;
  /**
   * Puts it back into its lane, as old as it is, then forgets it: killed in between it is stored once all the same.
   *
   * @throws Problem `not_found`, `queue_unavailable`, or `conflict` when this version can't read it either
   */
  replay(deadLetterId: string): Promise<void>;
  /** @throws Problem `not_found` */
  discard(deadLetterId: string): Promise<void>;
}

interface Row {
  dead_letter_id: string;
  lane: number;
  shard: number | null;
  batch_id: string;
  code: string;
  detail: string;
  accepted_at: Date;
  died_at: Date;
  payload: unknown;
}

type Enqueue = (lane: number, scans: Scan[], parent: Pick<Batch, 'batchId' | 'acceptedAt'>) => Promise<unknown>;

const SELECT =
  'SELECT dead_letter_id, lane, shard, batch_id, code, detail, accepted_at, died_at, payload FROM dead_letters';

/** A parameter that is null lets everything through. */
const NEWEST = `${SELECT}
  WHERE ($2::int IS NULL OR lane = $2) AND ($3::int IS NULL OR shard = $3) AND ($4::text IS NULL OR code = $4)
    AND ($5::float8 IS NULL OR died_at >= to_timestamp($5 / 1000)) AND ($6::float8 IS NULL OR died_at < to_timestamp($6 / 1000))
  ORDER BY died_at DESC LIMIT $1`;

/** Dead letters wherever they are: every verb asks the nodes, and fails with `node_unavailable` when one is away. */
export function createDeadLetters(o: {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  nodes: ReadNodes;
  enqueue: Enqueue;
}): DeadLetters {
  const onAllNodes = <T>(ask: (pool: Pool) => Promise<T>): Promise<T[]> =>
    Promise.all(
      [...o.directory.snapshot().nodes.values()].map((address) => o.nodes.of(address).run((node) => ask(node.pool))),
    );

  async function find(deadLetterId: string): Promise<DeadLetter> {
    const found = (await onAllNodes((pool) => readOne(pool, deadLetterId))).flat()[0];
    if (!found) throw notFound();
    return found;
  }

  async function remove(deadLetterId: string): Promise<boolean> {
    const removed = await onAllNodes((pool) =>
      pool.query('DELETE FROM dead_letters WHERE dead_letter_id = $1', [deadLetterId]),
    );
    return removed.some(({ rowCount }) => rowCount === 1);
  }

  return {
    async list(which) {
      const { limit } = which;
      const perNode = await onAllNodes((pool) => readNewest(pool, which));
      return perNode
        .flat()
        .toSorted((a, b) => b.diedAt - a.diedAt)
        .slice(0, limit);
    },
    show: find,
    async replay(deadLetterId) {
      const letter = await find(deadLetterId);
      await o.enqueue(letter.lane, scansOf(letter), letter);
      await remove(deadLetterId);
    },
    async discard(deadLetterId) {
      if (!(await remove(deadLetterId))) throw notFound();
    },
  };
}

async function readNewest(pool: Pool, which: DeadLetterFilter & { limit: number }): Promise<DeadLetter[]> {
  const { limit, lane, shard, code, since, before } = which;
  const { rows } = await pool.query<Row>(NEWEST, [limit, lane, shard, code, since, before]);
  return rows.map(toLetter);
}

async function readOne(pool: Pool, deadLetterId: string): Promise<DeadLetter[]> {
  const { rows } = await pool.query<Row>(`${SELECT} WHERE dead_letter_id = $1`, [deadLetterId]);
  return rows.map(toLetter);
}

function toLetter(row: Row): DeadLetter {
  const { dead_letter_id: deadLetterId, lane, shard, batch_id: batchId, code, detail, payload } = row;
  const acceptedAt = row.accepted_at.getTime();
  return { deadLetterId, lane, shard, batchId, code, detail, acceptedAt, diedAt: row.died_at.getTime(), payload };
}

/** A whole job that an older version could not read may be readable now. */
function scansOf(letter: DeadLetter): Scan[] {
  if (letter.code !== 'unreadable') return [letter.payload as Scan];
  try {
    return decodeBatch(letter.payload).scans;
  } catch (error) {
    if (!(error instanceof UnreadableBatch)) throw error;
    throw new Problem('conflict', `this version can't read it either: ${error.message}`, { cause: error });
  }
}

function notFound(): Problem {
  return new Problem('not_found', 'no such dead letter');
}
