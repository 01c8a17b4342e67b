import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { queueCommand } from '../../src/cli/queue.ts';
import { freePort } from '../../src/cli/free-port.ts';
import { prepareNodes } from '../../src/cli/prepare-nodes.ts';
import { withDirectory } from '../../src/directory/database.ts';
import { importResorts } from '../../src/directory/import-resorts.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { addDevice } from '../../src/directory/add-device.ts';
import { decodeBatch, encodeBatch } from '../../src/queue/codec.ts';
import { numberOf, onPool } from '../support/on-pool.ts';
import { runHere } from '../support/commands.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Run, runLiftline } from '../support/processes.ts';
import { until } from '../support/until.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures');
/** Jobs as the first release's edges wrote them: they may still wait in somebody's queue. Never changed, only added to. */
const OLD_JOBS = JSON.parse(readFileSync(path.join(FIXTURES, 'jobs-v1.json'), 'utf8')) as {
  what: string;
  job: unknown;
  batch: Parameters<typeof encodeBatch>[0];
}[];

describe('a new worker reads what an old edge wrote', () => {
  test.each(OLD_JOBS.map(({ what, ...rest }) => [what, rest] as const))('%s', (_, { job, batch }) => {
    expect(decodeBatch(job)).toEqual(batch);
  });

  test('and an edge still writes it in the same way', () => {
    for (const { job, batch } of OLD_JOBS) expect(JSON.parse(JSON.stringify(encodeBatch(batch)))).toEqual(job);
  });
});

describe('processes of two versions', { timeout: 180_000 }, () => {
  const runs: Run[] = [];
  let databases: TestDatabase[];
  let env: Record<string, string>;
  let deviceKey: string;

  beforeAll(async () => {
    databases = [await freshDatabase(), await freshDatabase(), await freshDatabase()];
    const [directoryUrl = '', queueUrl = '', firstNodeUrl = ''] = databases.map(({ url }) => url);
    const nodes = [{ name: 'node-1', url: firstNodeUrl }];
    await prepareNodes(await initDirectory({ directoryUrl, nodes, shardCount: 8, laneCount: 2 }));
    deviceKey = await withDirectory(directoryUrl, async (directory) => {
      await importResorts(directory, sampleResorts());
      return (await addDevice(directory, 'gate 1')).key;
    });
    env = { DIRECTORY_URL: directoryUrl, QUEUE_URL: queueUrl, QUEUE_DURABILITY: 'accept-loss', STALL_CHECK_MS: '500' };
  });
  beforeEach(async () => {
    await onPool(nodeUrl(), (pool) => pool.query('TRUNCATE scans, skier_days, ledger, dead_letters'));
  });
  afterEach(async () => {
    for (const { child } of runs) child.kill('SIGTERM');
    for (const run of runs.splice(0)) await run.exit(60_000);
  });
  afterAll(async () => {
    for (const database of databases) await database.drop();
  });

  /** @param release what the process pretends to be, by test/fixtures/release-*.mjs; today's unless given */
  async function start(kind: 'edge' | 'worker', release?: string): Promise<string> {
    const port = String(await freePort());
    const preload = release === undefined ? {} : { NODE_OPTIONS: `--import=${path.join(FIXTURES, `${release}.mjs`)}` };
    const run = runLiftline([kind], { ...env, ...preload, PORT: port });
    runs.push(run);
    const url = `http://127.0.0.1:${port}`;
    await until(
      `the ${kind} is ready`,
      async () => {
        if (run.child.exitCode !== null) throw new Error(run.output());
        return (await fetch(`${url}/readyz`)).ok;
      },
      60_000,
    );
    return url;
  }
  async function post(url: string, skierIds: number[]): Promise<void> {
    const scannedAt = new Date(Date.now() - 5_000).toISOString();
    const scans = skierIds.map((skierId) => ({ resortId: 1, liftId: 12, skierId, scannedAt }));
    const response = await fetch(`${url}/v1/scans/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${deviceKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ scans }),
    });
    const { results } = (await response.json()) as { results: { status: string }[] };
    expect(results.map(({ status }) => status)).toEqual(skierIds.map(() => 'accepted'));
  }
  const nodeUrl = () => databases[2]?.url ?? '';
  const count = (table: 'scans' | 'dead_letters') => numberOf(nodeUrl(), `SELECT count(*) FROM ${table}`);
  /** @returns how many jobs of the two lanes failed, and why, as `liftline queue failed` tells it */
  async function failed(): Promise<{ reason: string }[]> {
    const run = await runHere(queueCommand(), ['failed', '--json'], env);
    expect(run.code).toBe(0);
    return (JSON.parse(run.output) as { failed: { reason: string }[] }).failed;
  }

  test('a newer edge that adds a field: today’s worker stores its scans', async () => {
    const edge = await start('edge', 'release-with-a-new-field');
    await start('worker');
    await post(edge, [1, 2, 3, 4, 5]);
    await until('all are stored', async () => (await count('scans')) === 5, 30_000);
    expect(await count('dead_letters')).toBe(0);
  });

  test('a newer edge that changed the format: today’s worker leaves its jobs in the queue, a newer worker stores them', async () => {
    const newEdge = await start('edge', 'release-with-a-new-format');
    const oldEdge = await start('edge');
    await start('worker');
    await post(newEdge, [11, 12, 13, 14]);
    await until('the old worker tried', async () =>
      (await failed()).some(({ reason }) => reason.includes('version 2, this program reads version 1')),
    );
    await post(oldEdge, [21, 22]);
    await until('what it can read is stored meanwhile', async () => (await count('scans')) === 2, 30_000);
    expect(await count('dead_letters')).toBe(0);
    await start('worker', 'release-with-a-new-format');
    await until('all are stored', async () => (await count('scans')) === 6, 30_000);
    expect(await count('dead_letters')).toBe(0);
    expect(await failed()).toEqual([]);
  });

  test('what nobody will ever read is a dead letter at once', async () => {
    const edge = await start('edge', 'release-that-was-broken');
    await start('worker');
    await post(edge, [31]);
    await until('it is a dead letter', async () => (await count('dead_letters')) === 1, 30_000);
    expect(await count('scans')).toBe(0);
  });
});
