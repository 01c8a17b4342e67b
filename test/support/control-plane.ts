import { createHttpApp } from '../../src/cli/http-app.ts';
import { type Directory, openDirectory } from '../../src/directory/database.ts';
import { type DirectoryFollower, followDirectory } from '../../src/directory/follower.ts';
import { importResorts } from '../../src/directory/import-resorts.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { createOpsApp } from '../../src/ops/app.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { freshDatabase } from './postgres.ts';
import { recordedLog } from './recorded-log.ts';
import { until } from './until.ts';

export const ADMIN_KEY = 'an-admin-key-of-the-tests';

export interface ControlPlane {
  directory: Directory;
  follower: DirectoryFollower;
  /** between the app and its directory */
  proxy: FaultProxy;
  /** asks the ops app; as operator unless `authorization` says otherwise */
  ask(method: string, path: string, o?: { body?: unknown; authorization?: string | null }): Promise<Response>;
  stop(): Promise<void>;
}

const NOT_HERE = () => Promise.reject(new Error('this test has no nodes and no queue'));

/** The ops app on a directory of its own with the sample resorts. */
export async function startControlPlane(o: { skiDataApi?: 'keys' | 'open' } = {}): Promise<ControlPlane> {
  const database = await freshDatabase();
  const proxy = await startFaultProxy(database.url);
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const nodes = ['a', 'b'].map((name) => ({ name, url: `postgres://${name}.example/${name}` }));
  await initDirectory({ directoryUrl: database.url, nodes, shardCount: 8, laneCount: 2 });
  const directory = openDirectory({ url: proxy.url, lifecycle });
  await importResorts(directory, sampleResorts());
  const follower = await followDirectory({ url: proxy.url, logger, pollMs: 1_000, process: 'test', lifecycle });
  await until('the first snapshot', () => follower.hasSnapshot());
  const deadLetters = { list: NOT_HERE, show: NOT_HERE, replay: NOT_HERE, discard: NOT_HERE };
  const pipeline = { read: NOT_HERE };
  const autoscale = { read: NOT_HERE };
  const { skiDataApi = 'keys' } = o;
  const parts = { directory, follower, deadLetters, pipeline, autoscale };
  const ops = createOpsApp({ ...parts, adminKey: ADMIN_KEY, skiDataApi, logger });
  const metrics = createMetrics('ops');
  const app = createHttpApp({ apps: [ops], ready: () => true, metrics, logger, pathPrefix: '' });
  return {
    directory,
    follower,
    proxy,
    async ask(method, path, { body, authorization = `Bearer ${ADMIN_KEY}` } = {}) {
      const headers = { ...(authorization === null ? {} : { authorization }), 'content-type': 'application/json' };
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return app.request(path, { method, headers, ...(body === undefined ? {} : { body: text }) });
    },
    async stop() {
      await lifecycle.stop(5_000);
      await proxy.close();
      await database.drop();
    },
  };
}
