import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

export interface TestDatabase {
  url: string;
  /** Drops it, and with it every session that a test forgot to close: those fail the test. */
  drop(): Promise<void>;
}

/** A new, empty database on the run's shared server. Every test file makes its own and drops it in `afterAll`. */
export async function freshDatabase(): Promise<TestDatabase> {
  const server = new URL(inject('postgresUrl'));
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(server, (sql) => sql`CREATE DATABASE ${sql(name)}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => dropDatabase(server, name),
  };
}

async function dropDatabase(server: URL, name: string): Promise<void> {
  const open = await untilNoSessions(server, name, 2_000);
  await onServer(server, (sql) => sql`DROP DATABASE ${sql(name)} WITH (FORCE)`);
  if (open.length > 0) throw new Error(`leak: ${open.length} sessions still open on ${name}: ${open.join(' | ')}`);
}

/** A closed client's session ends on the server a moment later: they get that moment. */
async function untilNoSessions(server: URL, name: string, timeoutMs: number): Promise<string[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const open = await onServer(
      server,
      (sql) => sql<{ query: string }[]>`SELECT left(query, 100) AS query FROM pg_stat_activity WHERE datname = ${name}`,
    );
    if (open.length === 0 || Date.now() > deadline) return open.map((row) => row.query);
  }
}

async function onServer<T>(server: URL, run: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.href, { max: 1, onnotice: () => {} });
  try {
    return await run(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}
