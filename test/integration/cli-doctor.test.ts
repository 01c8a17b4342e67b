import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doctorCommand } from '../../src/cli/doctor.ts';
import { runHere } from '../support/commands.ts';
import { startIdentityProvider } from '../support/identity-provider.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { scanNo } from '../support/nodes.ts';
import { onPool } from '../support/on-pool.ts';
import { freshDatabase } from '../support/postgres.ts';
import { redisAvailable, startRedis, type TestRedis } from '../support/redis.ts';

interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  fix?: string;
}

let site: Installation;
/** The tests' Postgres has fsync off, which is no way to keep a queue. */
const ACCEPTED = { QUEUE_DURABILITY: 'accept-loss', PORT: '0' };

beforeAll(async () => {
  site = await startInstallation();
  await site.send([scanNo(1), scanNo(2), scanNo(3)]);
  await site.work();
});
afterAll(() => site.stop());

async function examine(env: Record<string, string> = {}) {
  const { code, output } = await runHere(doctorCommand(), ['--json'], { ...site.env, ...ACCEPTED, ...env });
  const { findings } = JSON.parse(output) as { findings: Finding[] };
  const bad = findings.filter(({ status }) => status === 'fail');
  for (const { fix } of bad) expect(fix).toMatch(/./);
  return { code, findings, bad, of: (check: string) => findings.find((finding) => finding.check === check) };
}

test('a system that is well: every check is made, none fails, exit code 0', async () => {
  const { code, findings, bad } = await examine();
  expect(bad).toEqual([]);
  expect(code).toBe(0);
  const checks = findings.map(({ check }) => check);
  for (const check of ['Node', 'settings', 'port', 'directory', 'node node-1', 'node node-2', 'shards', 'queue'])
    expect(checks).toContain(check);
  for (const check of ['durability', 'failed jobs', 'backlog', 'sums', 'dead letters']) expect(checks).toContain(check);
  for (const check of ['clock of ', 'connections of '])
    expect(checks.some((name) => name.startsWith(check))).toBe(true);
  expect(checks).toEqual([...new Set(checks)]);
  const { output } = await runHere(doctorCommand(), [], { ...site.env, ...ACCEPTED });
  expect(output).toMatch(/^ok +Node /);
  expect(output).not.toContain(new URL(site.env.DIRECTORY_URL ?? '').password);
});

describe('each thing that is broken is found, and the exit code is 1', () => {
  test('settings: all that are wrong, and nothing else is tried', async () => {
    const { code, bad, findings } = await examine({ PORT: 'eighty', NODE_POOL: '0' });
    expect(code).toBe(1);
    expect(bad.map(({ detail }) => detail.split(' ')[0])).toEqual(['PORT', 'NODE_POOL']);
    expect(findings.some(({ check }) => check === 'directory')).toBe(false);
  });

  test('a port that something else has', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { code, of } = await examine({ PORT: String((other.address() as AddressInfo).port) });
    other.close();
    expect([code, of('port')]).toEqual([1, expect.objectContaining({ status: 'fail' })]);
  });

  test('an identity provider that does not answer, or with something else', async () => {
    const provider = await startIdentityProvider();
    const env = { TOKEN_JWKS_URL: provider.url, TOKEN_ISSUER: provider.issuer, TOKEN_AUDIENCE: provider.audience };
    const well = await examine(env);
    expect([well.code, well.of('identity provider')]).toEqual([
      0,
      { check: 'identity provider', status: 'ok', detail: 'answers, with 1 key to check tokens with' },
    ]);
    provider.keys = [];
    const empty = await examine(env);
    expect([empty.code, empty.of('identity provider')]).toEqual([1, expect.objectContaining({ status: 'fail' })]);
    await provider.stop();
    const away = await examine(env);
    expect([away.code, away.of('identity provider')]).toEqual([1, expect.objectContaining({ status: 'fail' })]);
  });

  test('a directory that is away, empty, or of a newer version', async () => {
    const away = await examine({ DIRECTORY_URL: 'postgres://someone:secret@127.0.0.1:1/none' });
    expect([away.code, away.of('directory')]).toEqual([
      1,
      expect.objectContaining({ status: 'fail', detail: expect.stringContaining('ECONNREFUSED') as string }),
    ]);
    const empty = await freshDatabase();
    expect((await examine({ DIRECTORY_URL: empty.url })).of('directory')?.detail).toContain('0001-directory.sql');
    await empty.drop();
    const url = site.env.DIRECTORY_URL ?? '';
    await onPool(url, (pool) =>
      pool.query(
        `INSERT INTO applied_migrations (migration_set, name, checksum) VALUES ('directory', '9999-new.sql', '')`,
      ),
    );
    expect((await examine()).of('directory')?.detail).toContain('a newer version of Liftline wrote this database');
    await onPool(url, (pool) => pool.query(`DELETE FROM applied_migrations WHERE name = '9999-new.sql'`));
  });

  test('a node that is away; the others are still looked at', async () => {
    await site.proxy.close();
    const { code, of } = await examine();
    await site.proxy.open();
    expect(code).toBe(1);
    expect(of('node node-2')).toMatchObject({ status: 'fail' });
    expect(of('node node-1')).toMatchObject({ status: 'ok' });
    expect(of('shards')?.detail).toContain('nodes that do not answer');
    expect(of('sums')).toMatchObject({ status: 'warn' });
  });

  test('a shard that is missing on its node, and one that is on two', async () => {
    const [first = '', second = ''] = site.nodeUrls;
    await onPool(first, (pool) => pool.query('ALTER TABLE scans DETACH PARTITION shard_00.scans'));
    const missing = await examine();
    expect([missing.code, missing.of('shards')?.detail]).toEqual([1, 'node node-1 lacks shard 0']);
    await onPool(first, (pool) => pool.query('ALTER TABLE scans ATTACH PARTITION shard_00.scans FOR VALUES IN (0)'));
    await onPool(second, (pool) =>
      pool.query(`CREATE SCHEMA shard_00; CREATE TABLE shard_00.scans PARTITION OF scans FOR VALUES IN (0);
        CREATE TABLE shard_00.skier_days PARTITION OF skier_days FOR VALUES IN (0)`),
    );
    const doubled = await examine();
    expect([doubled.code, doubled.of('shards')?.detail]).toEqual([
      1,
      'node node-2 serves shard 0, which is not its own',
    ]);
    await onPool(second, (pool) => pool.query('DROP SCHEMA shard_00 CASCADE'));
  });

  test('a node without its tables', async () => {
    await onPool(site.nodeUrls[0] ?? '', (pool) => pool.query('ALTER TABLE applied_migrations RENAME TO kept'));
    const { code, of } = await examine();
    expect([code, of('node node-1')?.detail]).toEqual([
      1,
      'its tables lack 0001-node.sql, 0002-reads.sql, 0003-live.sql',
    ]);
    await onPool(site.nodeUrls[0] ?? '', (pool) => pool.query('ALTER TABLE kept RENAME TO applied_migrations'));
  });

  test('a queue that is away, or was never prepared', async () => {
    const away = await examine({ QUEUE_URL: 'redis://127.0.0.1:1' });
    expect([away.code, away.of('queue')]).toEqual([1, expect.objectContaining({ status: 'fail' })]);
    const never = await examine({ QUEUE_PREFIX: 'never' });
    expect([never.code, never.of('queue')]).toEqual([1, expect.objectContaining({ status: 'fail' })]);
  });

  test('a queue that forgets what it confirmed', async () => {
    const { code, of } = await examine({ QUEUE_DURABILITY: 'strict' });
    expect([code, of('durability')]).toEqual([
      1,
      expect.objectContaining({ status: 'fail', detail: expect.stringContaining('fsync') as string }),
    ]);
  });

  test('a job that is done and was never stored', async () => {
    const kept = await onPool(site.nodeUrls[0] ?? '', async (pool) => {
      await pool.query('CREATE TABLE kept AS SELECT * FROM ledger');
      return (await pool.query('DELETE FROM ledger')).rowCount;
    });
    expect(kept).toBeGreaterThan(0);
    const { code, of } = await examine();
    expect([code, of('sums')?.detail]).toEqual([1, expect.stringContaining(`${kept} in lane`)]);
    await onPool(site.nodeUrls[0] ?? '', (pool) =>
      pool.query('INSERT INTO ledger SELECT * FROM kept; DROP TABLE kept'),
    );
  });

  test('nothing that it could look at: neither settings nor a running up', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'liftline-no-home-'));
    const { code, of } = await examine({ DIRECTORY_URL: '', QUEUE_URL: '', LIFTLINE_HOME: home });
    expect([code, of('directory')?.detail]).toEqual([1, expect.stringContaining('no liftline runs in')]);
    await rm(home, { recursive: true });
  });
});

describe.skipIf(!redisAvailable)('a queue on Redis', () => {
  let redis: TestRedis;
  let queued: Installation;
  beforeAll(async () => {
    redis = await startRedis({ args: ['--maxmemory', '100mb'] });
    queued = await startInstallation(redis.url);
  });
  afterAll(async () => {
    await queued.stop();
    await redis.stop();
  });
  const look = async (env: Record<string, string> = {}) => {
    const { code, output } = await runHere(doctorCommand(), ['--json'], { ...queued.env, PORT: '0', ...env });
    const { findings } = JSON.parse(output) as { findings: Finding[] };
    return { code, of: (check: string) => findings.find((finding) => finding.check === check) };
  };

  test('is well', async () => {
    const { code, of } = await look();
    expect(code).toBe(0);
    for (const check of ['queue', 'durability', 'clock of the queue', 'memory of the queue'])
      expect([check, of(check)?.status]).toEqual([check, 'ok']);
    expect(of('disk of the queue')?.detail).toMatch(/GB free/);
  });

  test('a cache on the queue’s server, by another name of it; one that never makes room; one that is away', async () => {
    const queues = await look({ CACHE_URL: redis.url.replace('127.0.0.1', 'localhost') });
    expect([queues.code, queues.of('cache')]).toEqual([
      1,
      expect.objectContaining({ status: 'fail', detail: expect.stringContaining('the queue’s server') as string }),
    ]);
    const grows = await startRedis();
    const full = await look({ CACHE_URL: grows.url });
    expect([full.code, full.of('cache')?.status]).toEqual([0, 'warn']);
    await grows.stop();
    const away = await look({ CACHE_URL: grows.url });
    expect([away.code, away.of('cache')?.status]).toEqual([1, 'fail']);
    const evicts = await startRedis({ args: ['--maxmemory', '10mb', '--maxmemory-policy', 'allkeys-lru'] });
    expect((await look({ CACHE_URL: evicts.url })).of('cache')?.status).toBe('ok');
    await evicts.stop();
    expect((await look()).of('cache')).toBeUndefined();
  });

  test('without an append-only file, and full', async () => {
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    await client.config('SET', 'appendonly', 'no');
    await client.config('SET', 'maxmemory', '1500000');
    await client.quit();
    const { code, of } = await look();
    expect(code).toBe(1);
    expect(of('durability')?.detail).toContain('appendonly is no');
    expect(of('memory of the queue')).toMatchObject({ status: 'fail' });
  });
});
