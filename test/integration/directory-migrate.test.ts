import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrateDirectory } from '../../src/directory/migrate.ts';
import { MigrationError, runMigrations } from '../../src/platform/migrate.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let sql: postgres.Sql;
let home: string;

beforeEach(async () => {
  database = await freshDatabase();
  sql = postgres(database.url, { max: 4, onnotice: () => {} });
  home = await mkdtemp(path.join(tmpdir(), 'liftline-migrations-'));
});

afterEach(async () => {
  await sql.end();
  await database.drop();
  await rm(home, { recursive: true });
});

async function folder(name: string, files: Record<string, string>): Promise<URL> {
  await mkdir(path.join(home, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(home, name, file), text);
  return pathToFileURL(`${path.join(home, name)}/`);
}

const ONE = { '0001-one.sql': 'create table one (a int); insert into one values (1);' };
const TWO = { '0002-two.sql': 'create table two (a int);' };

describe('runMigrations', () => {
  test('applies what is new, in order, once', async () => {
    const dir = await folder('set', ONE);
    expect(await runMigrations(sql, dir)).toEqual(['0001-one.sql']);
    await folder('set', TWO);
    expect(await runMigrations(sql, dir)).toEqual(['0002-two.sql']);
    expect(await runMigrations(sql, dir)).toEqual([]);
    expect(await sql`select a from one`).toEqual([{ a: 1 }]);
  });

  test('four at once apply each file once', async () => {
    const dir = await folder('set', { ...ONE, ...TWO });
    const all = await Promise.all([1, 2, 3, 4].map(() => runMigrations(sql, dir)));
    expect(all.flat().toSorted()).toEqual(['0001-one.sql', '0002-two.sql']);
  });

  test('keeps sets of different folders apart', async () => {
    expect(await runMigrations(sql, await folder('one-set', ONE))).toEqual(['0001-one.sql']);
    expect(await runMigrations(sql, await folder('other-set', { '0001-one.sql': TWO['0002-two.sql'] }))).toHaveLength(
      1,
    );
  });

  test('a file that fails leaves nothing behind', async () => {
    const dir = await folder('set', { ...ONE, '0002-two.sql': 'create table two (a int); select 1/0;' });
    await expect(runMigrations(sql, dir)).rejects.toThrow('division by zero');
    expect(await sql`select to_regclass('one') as one, to_regclass('applied_migrations') as record`).toEqual([
      { one: null, record: null },
    ]);
    await folder('set', TWO);
    expect(await runMigrations(sql, dir)).toHaveLength(2);
  });

  test('takes line ends of another system for the same file', async () => {
    const dir = await folder('set', { '0001-one.sql': 'create table one (\n  a int\n);\n' });
    await runMigrations(sql, dir);
    await folder('set', { '0001-one.sql': 'create table one (\r\n  a int\r\n);\r\n' });
    expect(await runMigrations(sql, dir)).toEqual([]);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['a file that was changed', { '0001-one.sql': 'create table uno (a int);' }, /set\/0001-one.sql was changed/],
    ['a file that comes too late', { ...ONE, '0000-none.sql': 'select 1' }, /0000-none.sql comes before/],
    ['a file without number', { ...ONE, 'two.sql': 'select 1' }, /misnamed.*two.sql/],
  ])('refuses %s', async (_what, files, message) => {
    const dir = await folder('set', ONE);
    await runMigrations(sql, dir);
    await folder('set', files);
    await expect(runMigrations(sql, dir)).rejects.toThrow(message);
  });

  test('refuses a database of a newer version', async () => {
    await runMigrations(sql, await folder('set', { ...ONE, ...TWO }));
    await rm(path.join(home, 'set', '0002-two.sql'));
    const older = runMigrations(sql, await folder('set', {}));
    await expect(older).rejects.toThrow(/newer version .* has set\/0002-two.sql/);
    await expect(older).rejects.toBeInstanceOf(MigrationError);
  });
});

test('migrateDirectory makes the tables once', async () => {
  expect(await migrateDirectory(database.url)).toContain('0001-directory.sql');
  expect(await migrateDirectory(database.url)).toEqual([]);
  expect(await sql`select device_id, name from devices`).toEqual([{ device_id: 0, name: 'ski-data-open' }]);
});
