import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import { identify } from '../../src/cli/process-identity.ts';
import { until } from '../client/until.ts';
import { signalTree, treeOf } from './process-tree.ts';

/** A Postgres server that a test stops, kills and starts again; its port stays. */
export interface PostgresServer extends EmbeddedPostgres {
  /** Sends a signal to the postmaster and all its children: a stopped postmaster alone stops nobody. */
  signal(signal: NodeJS.Signals): void;
  /** kill -9 of every process of it; resolves when all are gone */
  kill(): Promise<void>;
  /** Starts it again on its data, after `kill` or `stop`; resolves when it takes connections. */
  restart(): Promise<void>;
}

export interface PostgresPlan {
  dataDir: string;
  databases: string[];
  /** further server settings */
  settings?: Record<string, string>;
}

const GONE_MS = 10_000;

export async function startPostgresServer(plan: PostgresPlan): Promise<PostgresServer> {
  let running = await startEmbeddedPostgres(plan);
  const { port } = running;
  const again = { ...plan, settings: { ...plan.settings, port: String(port) } };
  return {
    port,
    url: (database) => running.url(database),
    get pid() {
      return running.pid;
    },
    signal: (signal) => signalTree(running.pid, signal),
    async kill() {
      const pids = treeOf(running.pid);
      signalTree(running.pid, 'SIGKILL');
      await until('every process of the server is gone', () => (pids.some((pid) => identify(pid)) ? undefined : true), {
        timeoutMs: GONE_MS,
      });
    },
    async restart() {
      running = await startEmbeddedPostgres(again);
    },
    async stop() {
      signalTree(running.pid, 'SIGCONT');
      await running.stop();
    },
  };
}
