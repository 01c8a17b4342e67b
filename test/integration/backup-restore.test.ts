import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareNodes } from '../../src/cli/prepare-nodes.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import { withDirectory } from '../../src/directory/database.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { loadSnapshot } from '../../src/directory/load-snapshot.ts';
import type { DirectorySnapshot } from '../../src/directory/snapshot.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { createPipeline, type Pipeline } from '../../src/ops/pipeline.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import { prepareQueue } from '../../src/queue/prepare.ts';
import { type LaneProducer, openProducer } from '../../src/queue/producer.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { runWorker } from '../../workers/run-worker.ts';
import { LANES, scanNo, SHARDS, wrongTotals } from '../support/nodes.ts';
import { onPool } from '../support/on-pool.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { startSystemPostgres, type SystemPostgres, systemPostgresAvailable } from '../support/system-postgres.ts';
import { until, whileRunning } from '../support/until.ts';

const SCRIPTS = path.resolve(import.meta.dirname, '../../deploy/backup');
const NODES = ['alps', 'jura'];

/** Runs a script of deploy/backup. @returns its exit code, and what it printed */
async function script(name: string, args: string[], env: Record<string, string> = {}) {
  const run = promisify(execFile)(path.join(SCRIPTS, name), args, { env: { PATH: process.env.PATH, ...env } });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout: stdout.trim(), stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

const laneOfScan = ({ skierId }: Scan) => laneOf(shardOf(skierId, SHARDS), LANES);

async function storedOn(pool: Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ event_id: string }>('SELECT event_id FROM scans');
  return new Set(rows.map(({ event_id }) => event_id));
}

async function identityOf(pool: Pool): Promise<string | undefined> {
  return (await pool.query<{ identity: string }>('SELECT identity FROM node_identity')).rows[0]?.identity;
}

/** How many of the scans name the transaction that stored them: one of a server that was dumped means nothing on another. */
async function countKnown(pool: Pool, scans: Scan[]): Promise<number | undefined> {
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(stored_xid)::int AS count FROM scans WHERE event_id = ANY($1::uuid[])',
    [scans.map(({ eventId }) => eventId)],
  );
  return rows[0]?.count;
}

describe.skipIf(!systemPostgresAvailable)('backup and restore of the nodes', () => {
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  let server: SystemPostgres;
  let queue: TestDatabase;
  let folder: string;
  let snapshot: DirectorySnapshot;
  let producer: LaneProducer;
  let pipeline: Pipeline;
  const acked: Scan[] = [];
  let next = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'liftline-backup-'));
    server = await startSystemPostgres();
    for (const name of ['directory', ...NODES]) await server.admin(`CREATE DATABASE ${name}`);
    const nodes = NODES.map((name) => ({ name, url: server.url(name) }));
    snapshot = await initDirectory({
      directoryUrl: server.url('directory'),
      nodes,
      shardCount: SHARDS,
      laneCount: LANES,
    });
    await prepareNodes(snapshot);
    queue = await freshDatabase();
    const lanes = { queueUrl: queue.url, queuePrefix: 'liftline', laneCount: LANES, logger, lifecycle };
    await prepareQueue(lanes);
    producer = await openProducer({ ...lanes, ackDeadlineMs: 5_000 });
    const backlog = openBacklog({ ...lanes, timeoutMs: 5_000 });
    const readNodes = openReadNodes({ poolSize: 1, timeoutMs: 5_000, logger, lifecycle });
    pipeline = createPipeline({ follower: staticDirectory(snapshot), backlog, nodes: readNodes });
    const env = { DIRECTORY_URL: server.url('directory'), QUEUE_URL: queue.url, STATEMENT_TIMEOUT_MS: '2000' };
    await runWorker(loadConfig(env, 'worker'), { logger, lifecycle, metrics: createMetrics('worker') });
  });
  afterAll(async () => {
    await lifecycle.stop(10_000);
    await server.stop();
    await queue.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function send(scans: Scan[]): Promise<void> {
    for (const [lane, ofLane] of Map.groupBy(scans, laneOfScan)) await producer.enqueue(lane, ofLane);
  }
  async function sendNew(count: number): Promise<void> {
    const scans = Array.from({ length: count }, () => scanNo(next++));
    await send(scans);
    acked.push(...scans);
  }
  const books = async () => (await pipeline.read()).books;
  const drained = () =>
    until('the lanes are empty', async () => (await books())?.every((lane) => lane.jobsUnfinished === 0), 30_000);
  const unaccounted = async () =>
    (await books())?.reduce((sum, { jobsUnaccounted }) => sum + (jobsUnaccounted ?? Number.NaN), 0);
  const onAll = <T>(ask: (pool: Pool) => Promise<T>): Promise<T[]> =>
    Promise.all(NODES.map((name) => onPool(server.url(name), ask)));
  const missing = async (scans: Scan[]) => {
    const stored = await onAll(storedOn);
    return scans.filter(({ eventId }) => !stored.some((ids) => ids.has(eventId))).length;
  };

  test('a node that is lost comes back as it was: totals are its rows, its ledger is consistent', async () => {
    for (let i = 0; i < 20; i += 1) await sendNew(50);
    await drained();
    const before = [...acked];
    const backup = script('backup.sh', [folder], { DIRECTORY_URL: server.url('directory') });
    const { code, stdout: place, stderr } = await whileRunning(backup, () => sendNew(25));
    expect(stderr).not.toMatch(/error/i);
    expect(code).toBe(0);
    expect((await readdir(place)).toSorted()).toEqual([
      'SHA256SUMS',
      'directory.dump',
      'node-alps.dump',
      'node-jura.dump',
    ]);
    await sendNew(200); // after the backup, so not in it
    await drained();
    expect(await missing(acked)).toBe(0);
    expect(await unaccounted()).toBe(0);

    const identityBefore = await onPool(server.url('jura'), identityOf);
    await server.admin('DROP DATABASE jura WITH (FORCE)');
    await sendNew(100); // while the node is gone: held by the queue
    await server.admin('CREATE DATABASE jura');
    const restored = await script('restore.sh', [place, 'node-jura', server.url('jura')]);
    expect(restored).toMatchObject({ code: 0 });
    const again = await script('restore.sh', [place, 'node-jura', server.url('jura')]);
    expect(again.stderr).toContain('restore into an empty one');
    expect(again.code).toBe(1);
    expect(await onPool(server.url('jura'), identityOf)).not.toBe(identityBefore);
    expect(await onPool(server.url('jura'), (pool) => countKnown(pool, before))).toBe(0);

    await drained();
    expect(await missing(before)).toBe(0);
    expect(await missing(acked.slice(-100))).toBe(0);
    expect(await onAll(wrongTotals)).toEqual([[], []]);
    const ledgers = await onAll((pool) =>
      pool.query<{ agree: boolean }>(
        'SELECT (SELECT coalesce(sum(persisted), 0) FROM ledger) = (SELECT count(*) FROM scans) AS agree',
      ),
    );
    expect(ledgers.map(({ rows }) => rows[0]?.agree)).toEqual([true, true]);

    // what the backup did not hold is gone, and the sums say so; devices that send it again bring it back
    expect(await missing(acked)).toBeGreaterThan(0);
    expect(await unaccounted()).toBeGreaterThan(0);
    for (let at = 0; at < acked.length; at += 100) await send(acked.slice(at, at + 100));
    await drained();
    expect(await missing(acked)).toBe(0);
    expect(await onAll(wrongTotals)).toEqual([[], []]);
    expect(await onPool(server.url('jura'), (pool) => countKnown(pool, acked))).toBeGreaterThan(0); // those stored since
  }, 120_000);

  test('a directory that is restored is another installation: answers that the first one has kept are not its own', async () => {
    const other = path.join(folder, 'directory');
    const { stdout: place } = await script('backup.sh', [other], { DIRECTORY_URL: server.url('directory') });
    await server.admin('CREATE DATABASE copy');
    expect(await script('restore.sh', [place, 'directory', server.url('copy')])).toMatchObject({ code: 0 });
    const copy = await withDirectory(server.url('copy'), loadSnapshot);
    expect({ ...copy, version: 0 }).toEqual({ ...snapshot, version: 0, installation: expect.any(String) });
    expect(copy.installation).not.toBe(snapshot.installation);
  });

  test('a backup that can not be whole does not look like one', async () => {
    await server.admin('CREATE DATABASE other_directory');
    const nodes = [{ name: 'gone', url: server.url('no_such_database') }];
    await initDirectory({ directoryUrl: server.url('other_directory'), nodes, shardCount: 2, laneCount: 1 });
    const other = path.join(folder, 'other');
    const { code, stderr } = await script('backup.sh', [other], { DIRECTORY_URL: server.url('other_directory') });
    expect(code).not.toBe(0);
    expect(stderr).toContain('no_such_database');
    expect((await readdir(other)).filter((name) => !name.endsWith('.part'))).toEqual([]);
  });

  test('a dump that was damaged is not restored', async () => {
    const other = path.join(folder, 'damaged');
    const { stdout: place } = await script('backup.sh', [other], { DIRECTORY_URL: server.url('directory') });
    await appendFile(path.join(place, 'directory.dump'), 'x');
    await server.admin('CREATE DATABASE empty_one');
    const { code, stderr } = await script('restore.sh', [place, 'directory', server.url('empty_one')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('not what was backed up')]);
    expect((await script('restore.sh', [place, 'node-alps', server.url('empty_one')])).code).toBe(0);
  });
});
