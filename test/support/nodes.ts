import { Pool } from 'pg';
import { pino } from 'pino';
import type { DirectoryFollower } from '../../src/directory/follower.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import type { DirectorySnapshot } from '../../src/directory/snapshot.ts';
import { deriveEventId, type Scan } from '../../src/domain/scan.ts';
import { shardOf, shardSchema } from '../../src/domain/shard.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { prepareNode } from '../../src/shards/migrate-node.ts';

export const quiet = pino({ level: 'silent' });

export const SHARDS = 8;
export const LANES = 2;

/** A map over some nodes that a test can change by hand, as a move does. */
export class TestMap implements DirectoryFollower {
  /** what `reload` will find */
  next: DirectorySnapshot;
  reloads = 0;
  #current: DirectorySnapshot;
  readonly #listeners: ((snapshot: DirectorySnapshot) => void)[] = [];

  constructor(urls: string[]) {
    this.#current = sampleSnapshot({
      shardCount: SHARDS,
      laneCount: LANES,
      nodes: urls.map((url, i) => ({ name: `node-${i + 1}`, url })),
      devices: [],
    });
    this.next = this.#current;
  }

  /** Prepares what the next reload finds: shards on other nodes. */
  place(shards: number[], nodeId: number): void {
    const nodeOfShard = this.next.nodeOfShard.map((node, shard) => (shards.includes(shard) ? nodeId : node));
    this.next = { ...this.next, version: this.next.version + 1, nodeOfShard };
  }

  snapshot(): DirectorySnapshot {
    return this.#current;
  }
  hasSnapshot(): boolean {
    return true;
  }
  reload(): Promise<DirectorySnapshot> {
    this.reloads += 1;
    if (this.#current !== this.next) {
      this.#current = this.next;
      for (const listener of this.#listeners) listener(this.#current);
    }
    return Promise.resolve(this.#current);
  }
  onChange(listener: (snapshot: DirectorySnapshot) => void): void {
    this.#listeners.push(listener);
  }
  secondsSinceContact(): number {
    return 0;
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** Tables and leaves on every node of the map. */
export async function prepareNodes({ nodes, nodeOfShard }: DirectorySnapshot): Promise<void> {
  for (const { nodeId, url } of nodes.values()) {
    await prepareNode(
      url,
      [...nodeOfShard.keys()].filter((shard) => nodeOfShard[shard] === nodeId),
    );
  }
}

/** A lifecycle and a pool that end with the test file. */
export function openTestPool(url: string, lifecycle: Lifecycle): Pool {
  const pool = new Pool({ connectionString: url, max: 8 });
  pool.on('error', () => {}); // a server that a test kills
  lifecycle.onStop('test pool', () => pool.end());
  return pool;
}

export function testLifecycle(): Lifecycle {
  return new Lifecycle({ logger: quiet });
}

/** A skier whose shard is the given one. */
export function skierOn(shard: number, from = 1): number {
  let skierId = from;
  while (shardOf(skierId, SHARDS) !== shard) skierId += 1;
  return skierId;
}

/** A valid scan; the same number gives the same scan. */
export function scanNo(number: number, fields: Partial<Scan> = {}): Scan {
  return {
    eventId: deriveEventId('test scan', number),
    skierId: 1 + (number % 50),
    resortId: 1 + (number % 3),
    liftId: 1 + (number % 40),
    scannedAt: Date.UTC(2026, 0, 10, 9) + number * 1_000,
    season: 2025,
    day: 1 + (number % 2),
    date: `2026-01-1${number % 2}`,
    hour: 9 + (number % 5),
    verticalM: 10 * (1 + (number % 40)),
    deviceId: 1,
    ...fields,
  };
}

export { wrongTotals } from '../../loadtest/faults/checker-rows.ts';

/** Moves a shard's leaves by hand, as a move does in the end: copied, detached from one node, attached to the other. */
export async function moveLeaves(from: Pool, to: Pool, shard: number): Promise<void> {
  const schema = shardSchema(shard);
  await to.query(`CREATE SCHEMA ${schema}`);
  for (const table of ['scans', 'skier_days']) {
    await to.query(`CREATE TABLE ${schema}.${table} (LIKE ${table} INCLUDING ALL)`);
    const { rows } = await from.query<{ text: string }>(
      `SELECT to_jsonb(t)::text AS text FROM ${schema}.${table} AS t`,
    );
    for (const { text } of rows) {
      await to.query(
        `INSERT INTO ${schema}.${table} SELECT * FROM jsonb_populate_record(NULL::${schema}.${table}, $1)`,
        [text],
      );
    }
    await from.query(`ALTER TABLE ${table} DETACH PARTITION ${schema}.${table}`);
    await to.query(`ALTER TABLE ${table} ATTACH PARTITION ${schema}.${table} FOR VALUES IN (${shard})`);
  }
  await from.query(`DROP SCHEMA ${schema} CASCADE`);
}
