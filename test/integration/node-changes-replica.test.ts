import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import { NodeChanges } from '../../src/shards/node-changes.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { openTestPool, prepareNodes, quiet, scanNo, skierOn, TestMap, testLifecycle } from '../support/nodes.ts';
import { startSystemPostgres, type SystemPostgres, systemPostgresAvailable } from '../support/system-postgres.ts';
import { until } from '../support/until.ts';

const SLOW = skierOn(0);
const QUICK = skierOn(2);

describe.skipIf(!systemPostgresAvailable)('what a node has changed, asked of a streaming replica', () => {
  const lifecycle = testLifecycle();
  let server: SystemPostgres;
  let replica: Pick<SystemPostgres, 'url' | 'stop'>;
  let pool: Pool;
  let reader: HistoryReader;
  let number = 0;
  beforeAll(async () => {
    server = await startSystemPostgres();
    await server.admin('CREATE DATABASE node');
    await prepareNodes(new TestMap([server.url('node')]).snapshot());
    replica = await server.replica();
    pool = openTestPool(replica.url('node'), lifecycle);
    const nodes = openReadNodes({ poolSize: 2, timeoutMs: 5_000, logger: quiet, lifecycle });
    reader = createHistoryReader({ directory: new TestMap([replica.url('node')]), nodes });
  });
  afterAll(async () => {
    await lifecycle.stop(10_000);
    await replica?.stop();
    await server?.stop();
  });

  /** @returns what stores on a connection of its own, on which transactions can be held open */
  function openWriter(): { store(skierId: number): Promise<void>; connection: Pool } {
    const connection = new Pool({ connectionString: server.url('node'), max: 1 });
    lifecycle.onStop('a writer', () => connection.end());
    const { nodeOfShard, shardCount } = new TestMap([server.url('node')]).snapshot();
    return {
      connection,
      async store(skierId) {
        const batch = { batchId: randomUUID(), acceptedAt: 0, scans: [scanNo((number += 1), { skierId })] };
        for (const part of splitByNode(batch, 'job', { nodeOfShard, shardCount }).values()) {
          await storeParts(connection, 0, [part]);
        }
      },
    };
  }

  const positionOf = async (skierId: number) => (await reader.rides(skierId, { limit: 10 })).at.position;

  test('is told once each, whatever the order of commits, and however long one is under way', async () => {
    const changes = new NodeChanges();
    const told: number[] = [];
    const poll = async () => {
      const changed = await changes.poll(pool);
      if (changed !== 'all') told.push(...changed.flatMap(({ skiers }) => skiers));
      return changed;
    };
    expect(await poll()).toBe('all');
    const [slow, quick] = [openWriter(), openWriter()];
    await slow.connection.query('BEGIN');
    await slow.store(SLOW);
    await quick.store(QUICK);
    await until('the quick one is told', async () => (await poll()) !== 'all' && told.includes(QUICK));
    for (let i = 0; i < 5; i += 1) await poll();
    expect(told).toEqual([QUICK]);
    // a replica can't tell that it sees the quick one while the slow one is under way: it is read anew then, and not left out
    expect(changes.isCurrent(QUICK, await positionOf(QUICK))).toBe(false);
    await slow.connection.query('COMMIT');
    await until('the slow one is told', async () => (await poll()) !== 'all' && told.includes(SLOW));
    await until('what is read is current', async () => {
      const positions = [await positionOf(SLOW), await positionOf(QUICK)] as const;
      await poll();
      return changes.isCurrent(SLOW, positions[0]) && changes.isCurrent(QUICK, positions[1]);
    });
    expect(told).toEqual([QUICK, SLOW]);
  });
});
