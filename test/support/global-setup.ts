import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import { missingTools } from './tools.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the run's shared Postgres server, database `postgres` */
    postgresUrl: string;
  }
}

/** One Postgres server for the whole run; each test file makes databases of its own on it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  reportMissingTools();
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-test-'));
  await chmod(folder, 0o755); // root's server runs as another user, who must get in
  const server = await startEmbeddedPostgres({
    dataDir: path.join(folder, 'postgres'),
    databases: [],
    // a crash of the machine may lose the run's data, and only that
    settings: { max_connections: '400', fsync: 'off' },
  });
  project.provide('postgresUrl', server.url('postgres'));
  return async () => {
    const leaked = await leftovers(server.url('postgres'));
    await server.stop();
    await rm(folder, { recursive: true, force: true });
    if (leaked.length > 0)
      throw new Error(`leak: test files left databases or connections behind: ${leaked.join(', ')}`);
  };
}

async function leftovers(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1 });
  try {
    const databases = await sql<
      { name: string }[]
    >`SELECT datname AS name FROM pg_database WHERE datname LIKE 'test_%'`;
    const sessions = await sql<{ name: string }[]>`
      SELECT format('session on %s: %s', datname, left(query, 80)) AS name
      FROM pg_stat_activity WHERE datname LIKE 'test_%' AND pid <> pg_backend_pid()`;
    return [...databases, ...sessions].map((row) => row.name);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

function reportMissingTools(): void {
  const missing = missingTools();
  if (missing.length === 0) return;
  const line = `not found: ${missing.join(', ')}; the tests that need them are ${process.env.CI ? 'required with CI set' : 'skipped'}`;
  if (process.env.CI) throw new Error(line);
  process.stderr.write(`${line}\n`);
}
