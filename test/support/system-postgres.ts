import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { freePort } from '../../src/cli/free-port.ts';
import { serverOwner } from '../../src/cli/server-owner.ts';
import { findTool } from './tools.ts';
import { until } from './until.ts';

/** Whether this machine has a Postgres server with its tools: the embedded one ships none, and pg_dump must not be older. */
export const systemPostgresAvailable = findTool('initdb') !== undefined && findTool('pg_dump') !== undefined;

export interface SystemPostgres {
  url(database: string): string;
  /** runs SQL as superuser, outside of any database of the tests */
  admin(text: string): Promise<void>;
  /** a streaming replica of it, which is to be stopped first */
  replica(): Promise<Pick<SystemPostgres, 'url' | 'stop'>>;
  stop(): Promise<void>;
}

/** What scripts must pass on unharmed. */
const PASSWORD = 'p@ss\\word %20/:';

/** The machine's own Postgres on a free port, for tests of what operators do with its tools. */
export async function startSystemPostgres(): Promise<SystemPostgres> {
  const programs = path.dirname(realpathSync(findTool('initdb') ?? '')); // where its other programs are, too
  const owner = serverOwner();
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-system-postgres-'));
  await chmod(folder, 0o755); // root's server runs as another user, who must get in
  const data = path.join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  await owner.own(data);
  const run = { ...owner.ids, cwd: '/' };
  const passwordFile = path.join(folder, 'password');
  await writeFile(passwordFile, `${PASSWORD}\n`);
  const settings = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--no-sync'];
  execFileSync(path.join(programs, 'initdb'), ['-D', data, '-U', 'postgres', ...settings], { ...run, stdio: 'ignore' });
  const server = await startServer({ programs, data, run });
  const admin = (text: string) => onServer(server.url('postgres'), text);
  return {
    url: server.url,
    admin,
    async replica() {
      const copy = path.join(folder, 'replica');
      await mkdir(copy, { mode: 0o700 });
      await owner.own(copy);
      const args = [
        '-D',
        copy,
        '-d',
        server.url('postgres'),
        '--write-recovery-conf',
        '--checkpoint=fast',
        '--no-sync',
      ];
      await promisify(execFile)(path.join(programs, 'pg_basebackup'), args, run);
      return startServer({ programs, data: copy, run });
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(o: { programs: string; data: string; run: { cwd: string; uid?: number; gid?: number } }) {
  const port = await freePort();
  const flags = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, 'fsync=off'];
  const child = spawn(path.join(o.programs, 'postgres'), ['-D', o.data, ...flags.flatMap((flag) => ['-c', flag])], {
    ...o.run,
    stdio: 'ignore',
  });
  const url = (database: string) => `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`;
  await until('the system’s Postgres answers', async () => (await onServer(url('postgres'), 'SELECT 1')) === undefined);
  return { url, stop: () => stopServer(child) };
}

async function onServer(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await exited;
}
