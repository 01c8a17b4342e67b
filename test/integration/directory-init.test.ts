import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withDirectory } from '../../src/directory/database.ts';
import { type DirectoryPlan, initDirectory } from '../../src/directory/init.ts';
import { loadSnapshot } from '../../src/directory/load-snapshot.ts';
import { migrateDirectory } from '../../src/directory/migrate.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
});

afterEach(() => database.drop());

const plan = (changed: Partial<DirectoryPlan> = {}): DirectoryPlan => ({
  directoryUrl: database.url,
  nodes: [
    { name: 'node-a', url: 'postgres://a.example/a' },
    { name: 'node-b', url: 'postgres://b.example/b' },
  ],
  shardCount: 64,
  laneCount: 4,
  ...changed,
});
const load = () => withDirectory(database.url, loadSnapshot);

describe('initDirectory', () => {
  test('makes a directory whose lanes alternate between the nodes', async () => {
    const made = await initDirectory(plan());
    expect([...made.nodes.values()].map(({ name }) => name)).toEqual(['node-a', 'node-b']);
    expect(made.nodeOfShard).toEqual(Array.from({ length: 64 }, (_, shard) => ((shard % 4) % 2) + 1));
    expect(await load()).toEqual(made);
  });

  test('changes nothing the second time, not even the version', async () => {
    const first = await initDirectory(plan());
    expect(await initDirectory(plan())).toEqual(first);
  });

  test('four at once make one directory', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => initDirectory(plan())));
    for (const made of all) expect(made).toEqual(all[0]);
  });

  test('moves a node to another URL and adds a node without shards', async () => {
    const first = await initDirectory(plan());
    const nodes = [
      { name: 'node-b', url: 'postgres://b2.example/b' },
      { name: 'node-c', url: 'postgres://c.example/c' },
    ];
    const second = await initDirectory(plan({ nodes }));
    expect([...second.nodes.values()].map(({ name, url }) => [name, url])).toEqual([
      ['node-a', 'postgres://a.example/a'],
      ['node-b', 'postgres://b2.example/b'],
      ['node-c', 'postgres://c.example/c'],
    ]);
    expect(second.nodeOfShard).toEqual(first.nodeOfShard);
    expect(second.version).toBeGreaterThan(first.version);
  });

  test.each<[string, Partial<DirectoryPlan>]>([
    ['other shards', { shardCount: 32 }],
    ['other lanes', { laneCount: 8 }],
  ])('refuses %s than it was made with', async (_what, changed) => {
    await initDirectory(plan());
    await expect(initDirectory(plan(changed))).rejects.toMatchObject({ code: 'conflict' });
  });

  test.each<[string, Partial<DirectoryPlan>]>([
    ['no node', { nodes: [] }],
    ['a node twice', { nodes: [1, 2].map(() => ({ name: 'a', url: 'postgres://a.example/a' })) }],
    ['a node that is no Postgres', { nodes: [{ name: 'a', url: 'mysql://a.example/a' }] }],
    ['a node with an odd name', { nodes: [{ name: 'a b', url: 'postgres://a.example/a' }] }],
    ['no shards', { shardCount: 0 }],
    ['too many shards', { shardCount: 1025 }],
    ['more lanes than shards', { laneCount: 65 }],
  ])('refuses %s', async (_what, changed) => {
    await expect(initDirectory(plan(changed))).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('loadSnapshot', () => {
  test('says that there are no tables', async () => {
    await expect(load()).rejects.toMatchObject({
      code: 'directory_unavailable',
      message: 'the directory is not initialised',
    });
  });

  test('says that it is not initialised', async () => {
    await migrateDirectory(database.url);
    await expect(load()).rejects.toMatchObject({
      code: 'directory_unavailable',
      message: 'the directory is not initialised',
    });
  });

  test('refuses another format', async () => {
    await initDirectory(plan());
    const sql = postgres(database.url, { max: 1 });
    await sql`update settings set format_version = 2`;
    await sql.end();
    await expect(load()).rejects.toMatchObject({ message: 'the directory is of format 2, this version reads 1' });
    await expect(initDirectory(plan())).rejects.toMatchObject({ code: 'conflict' });
  });
});
