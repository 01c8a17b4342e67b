import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import { openReadNodes, type ReadNodes } from '../../src/shards/read-nodes.ts';
import type { Position } from '../../src/shards/read-at.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { openTestPool, prepareNodes, quiet, scanNo, TestMap, testLifecycle } from './nodes.ts';
import { freshDatabase, type TestDatabase } from './postgres.ts';

/** A node of one test: readers come by the proxy, writes go past it. */
export interface OneNode {
  lifecycle: Lifecycle;
  /** past the proxy */
  pool: Pool;
  proxy: FaultProxy;
  map: TestMap;
  history: HistoryReader;
  readNodes: () => ReadNodes;
  /** Stores a ride of each skier in one write. @param o.via unless given, whichever connection is free */
  store(skierIds: number[], o?: { via?: Pool; day?: number }): Promise<void>;
  positionOf(skierId: number): Promise<Position>;
  /** one connection, on which a transaction can be held open; it ends with the test */
  openConnection(): Pool;
}

/** Makes a node for each test of the file. @returns the one of the test that runs */
export function oneNodeATest(): () => OneNode {
  let node: OneNode;
  let database: TestDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
    await prepareNodes(new TestMap([database.url]).snapshot());
    node = await openNode(database.url);
  });
  afterEach(async () => {
    await node.lifecycle.stop(10_000);
    await node.proxy.close();
    await database.drop();
  });
  return () => node;
}

async function openNode(url: string): Promise<OneNode> {
  const lifecycle = testLifecycle();
  const proxy = await startFaultProxy(url);
  const map = new TestMap([proxy.url]);
  const pool = openTestPool(url, lifecycle);
  const readNodes = () => openReadNodes({ poolSize: 2, timeoutMs: 500, logger: quiet, lifecycle });
  const history = createHistoryReader({ directory: map, nodes: readNodes() });
  let number = 0;
  return {
    lifecycle,
    pool,
    proxy,
    map,
    history,
    readNodes,
    async store(skierIds, { via = pool, day = 1 } = {}) {
      const scans = skierIds.map((skierId) => scanNo((number += 1), { skierId, resortId: 1, day, date: '2026-01-10' }));
      const parts = splitByNode({ batchId: randomUUID(), acceptedAt: 0, scans }, 'job', map.snapshot());
      for (const part of parts.values()) await storeParts(via, 0, [part]);
    },
    positionOf: async (skierId) => (await history.rides(skierId, { limit: 10 })).at.position,
    openConnection() {
      const connection = new Pool({ connectionString: url, max: 1 });
      lifecycle.onStop('a connection', () => connection.end());
      return connection;
    },
  };
}
