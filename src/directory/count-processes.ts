import { sql } from 'drizzle-orm';
import type { Directory } from './database.ts';

const PREFIX = 'liftline ';

/** The name under which a process follows the directory: so they can be counted without a list that somebody keeps. */
export function followerName(process: string): string {
  return `${PREFIX}${process}`;
}

/**
 * @returns how many processes of each kind follow the directory now, by their connections
 * @throws Problem `directory_unavailable`
 */
export async function countProcesses(directory: Directory): Promise<Map<string, number>> {
  const { rows } = await directory.read((db) =>
    db.execute<{ name: string; count: number }>(
      sql`select application_name as name, count(*)::int as count from pg_stat_activity
          where datname = current_database() and application_name like ${`${PREFIX}%`} group by 1`,
    ),
  );
  return new Map(rows.map(({ name, count }) => [name.slice(PREFIX.length), count]));
}
