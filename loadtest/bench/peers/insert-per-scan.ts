import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import { z } from 'zod';
import type { DirectorySnapshot } from '../../../src/directory/snapshot.ts';
import type { Scan } from '../../../src/domain/scan.ts';
import { shardOf } from '../../../src/domain/shard.ts';
import { Lifecycle } from '../../../src/platform/lifecycle.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { completeScans, readDirectory } from './stored-scans.ts';

/** One job and one insert for each scan, as most systems do it; without totals, which would cost more. */
const CONCURRENCY = 64;
const POOL = 16;
const ADD_AT_ONCE = 1_000;
const QUEUE = 'per-scan';

const { scans: count } = z.object({ scans: z.number() }).parse(JSON.parse(process.argv[2] ?? ''));
const { DIRECTORY_URL = '', QUEUE_URL = '' } = process.env;
const lifecycle = new Lifecycle({ logger: createLogger({ level: 'warn', process: 'insert-per-scan' }) });
const snapshot = await readDirectory(DIRECTORY_URL, lifecycle);
const scans = completeScans(count, snapshot);
const seconds = await persist(scans, snapshot);
await lifecycle.stop(5_000);
process.stdout.write(JSON.stringify({ perSecond: count / seconds }));

async function persist(all: Scan[], { nodes, nodeOfShard, shardCount }: DirectorySnapshot): Promise<number> {
  const connection = new Redis(QUEUE_URL, { maxRetriesPerRequest: null });
  const pools = new Map([...nodes].map(([nodeId, { url }]) => [nodeId, postgres(url, { max: POOL })]));
  const queue = new Queue<Scan>(QUEUE, { connection });
  for (let at = 0; at < all.length; at += ADD_AT_ONCE) {
    const jobs = all.slice(at, at + ADD_AT_ONCE).map((scan) => ({ name: 'scan', data: scan }));
    await queue.addBulk(jobs.map((job) => ({ ...job, opts: { removeOnComplete: true } })));
  }
  let done = 0;
  const startedAt = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const worker = new Worker<Scan>(
    QUEUE,
    async ({ data }) => {
      const shard = shardOf(data.skierId, shardCount);
      const sql = pools.get(nodeOfShard[shard] ?? -1);
      if (!sql) throw new Error(`shard ${shard} has no node`);
      await insert(sql, shard, data);
    },
    { connection, concurrency: CONCURRENCY },
  );
  worker.on('completed', () => {
    done += 1;
    if (done === all.length) resolve((performance.now() - startedAt) / 1_000);
  });
  worker.on('failed', (_job, error) => reject(error));
  worker.on('error', reject);
  const took = await promise;
  await worker.close();
  await queue.close();
  connection.disconnect();
  await Promise.all([...pools.values()].map((sql) => sql.end()));
  return took;
}

async function insert(sql: Sql, shard: number, scan: Scan): Promise<void> {
  await sql`
    INSERT INTO scans (shard, skier_id, scanned_at, device_id, event_id, resort_id, lift_id, season, day, local_date, hour,
      vertical_m, batch_id)
    VALUES (${shard}, ${scan.skierId}, to_timestamp(${scan.scannedAt / 1_000}), ${scan.deviceId}, ${scan.eventId},
      ${scan.resortId}, ${scan.liftId}, ${scan.season}, ${scan.day}, ${scan.date}, ${scan.hour}, ${scan.verticalM}, ${scan.eventId})
    ON CONFLICT DO NOTHING`;
}
