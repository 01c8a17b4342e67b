import postgres, { type Sql } from 'postgres';
import { pendingMigrations, runMigrations } from '../platform/migrate.ts';

const MIGRATIONS = new URL('../../migrations/directory/', import.meta.url);
const CONNECT_TIMEOUT_S = 5;

/**
 * Brings the directory's tables up to date; whoever starts at the same time waits.
 *
 * @returns the names of the files that were applied now
 * @throws MigrationError when a newer version wrote this database; Error when it can't be reached
 */
export async function migrateDirectory(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, connect_timeout: CONNECT_TIMEOUT_S, onnotice: () => {} });
  try {
    return await runMigrations(sql, MIGRATIONS);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * @returns the files of the directory's tables that this database still lacks
 * @throws MigrationError when a newer version wrote it
 */
export function pendingDirectoryMigrations(sql: Sql): Promise<string[]> {
  return pendingMigrations(sql, MIGRATIONS);
}
