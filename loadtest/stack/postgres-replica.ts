import { execFile } from 'node:child_process';
import { appendFile, copyFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { serverOwner } from '../../src/cli/server-owner.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

export interface ReplicaPlan {
  /** the server to follow, and where its data is */
  primary: PostgresServer;
  primaryDataDir: string;
  /** a folder that is not there yet; a password goes beside it */
  dataDir: string;
  /** how long each commit of the primary waits before it is seen here, milliseconds */
  delayMs: number;
}

/**
 * A streaming replica that lags, made of a copy of the files: the embedded Postgres has no pg_basebackup.
 *
 * @param owner see {@link startPostgresServer}
 */
export async function startPostgresReplica(plan: ReplicaPlan, owner?: Lifecycle): Promise<PostgresServer> {
  const { primary, primaryDataDir, dataDir, delayMs } = plan;
  const client = new Client({ connectionString: primary.url('postgres') });
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('replica', fast => true)`);
    await promisify(execFile)('cp', ['-a', primaryDataDir, dataDir]);
    const { rows } = await client.query<{ label: string }>('SELECT labelfile AS label FROM pg_backup_stop()');
    await writeFile(`${dataDir}/backup_label`, rows[0]?.label ?? '');
  } finally {
    await client.end();
  }
  await copyFile(`${primaryDataDir}.password`, `${dataDir}.password`);
  await rm(`${dataDir}/postmaster.pid`, { force: true });
  const { hostname, port, username, password } = new URL(primary.url('postgres'));
  const conninfo = `host=${hostname} port=${port} user=${username} password=${password}`;
  await appendFile(`${dataDir}/postgresql.auto.conf`, `primary_conninfo = '${conninfo}'\n`);
  await writeFile(`${dataDir}/standby.signal`, '');
  const user = serverOwner();
  for (const file of ['backup_label', 'standby.signal']) await user.own(`${dataDir}/${file}`);
  // what lags counts as late: without the second setting it would cancel reads that are in the way of a vacuum, at once
  const settings = { recovery_min_apply_delay: `${delayMs}ms`, max_standby_streaming_delay: '-1' };
  return startPostgresServer({ dataDir, databases: [], settings }, owner);
}
