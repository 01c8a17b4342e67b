import path from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import { identify } from '../../src/cli/process-identity.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
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

/** @param owner stops it, also while it still starts; nothing starts any more once the owner stops */
export async function startPostgresServer(plan: PostgresPlan, owner?: Lifecycle): Promise<PostgresServer> {
  const name = `postgres ${path.basename(plan.dataDir)}`;
  const launch = (settings: PostgresPlan['settings'] = {}) => {
    if (owner?.isStopping) throw new Error(`${name} is not started: all of it stops`);
    return startEmbeddedPostgres({ ...plan, settings });
  };
  let starting = launch(plan.settings);
  const stop = async () => {
    const started = await starting.catch(() => undefined); // who started it was told
    if (!started) return;
    signalTree(started.pid, 'SIGCONT');
    await started.stop();
  };
  owner?.onStop(name, stop);
  let running = await starting;
  const { port } = running;
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
      starting = launch({ ...plan.settings, port: String(port) });
      running = await starting;
    },
    stop,
  };
}
