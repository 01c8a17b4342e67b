import { openEdge } from '../../src/cli/serve-edge.ts';
import { serveHttp } from '../../src/cli/serve-http.ts';
import { openOps } from '../../src/cli/serve-ops.ts';
import { openRides } from '../../src/cli/serve-rides.ts';
import { addDevice, type NewDeviceKey } from '../../src/directory/add-device.ts';
import { withDirectory } from '../../src/directory/database.ts';
import { importResorts } from '../../src/directory/import-resorts.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { runWorker } from '../../workers/run-worker.ts';
import { type Installation, startInstallation } from './installation.ts';
import { recordedLog } from './recorded-log.ts';

const ADMIN_KEY = 'an-admin-key-of-the-tests';
const TOKEN_SECRET = 'a-token-secret-of-the-tests-32-long';

/** Edge, rides and ops on one port, as `up` serves them, with a worker, on an installation of its own. */
export interface AllInOne {
  url: string;
  site: Installation;
  device: NewDeviceKey;
  adminKey: string;
  token(skierId: number): Promise<string>;
  stop(): Promise<void>;
}

export async function startAllInOne(): Promise<AllInOne> {
  const site = await startInstallation();
  const { DIRECTORY_URL: directoryUrl = '', QUEUE_URL = '' } = site.env;
  const device = await withDirectory(directoryUrl, async (directory) => {
    await importResorts(directory, sampleResorts());
    return addDevice(directory, 'gate 1');
  });
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  await runWorker(loadConfig(site.env, 'worker'), { logger, lifecycle, metrics: createMetrics('worker') });
  const config = { ...loadConfig({ QUEUE_URL, ADMIN_KEY, TOKEN_SECRET, PORT: '0' }, 'up'), directoryUrl };
  const context = { config, logger, lifecycle, metrics: createMetrics('up') };
  const { url } = await serveHttp(context, {
    name: 'up',
    build: async (directory, snapshot) => {
      const rides = await openRides(context, directory);
      const ops = await openOps(context, directory, snapshot);
      const edge = await openEdge(context, directory, snapshot);
      return { apps: [...edge.apps, ...rides.apps, ...ops.apps], ready: () => true };
    },
  });
  return {
    url,
    site,
    device,
    adminKey: ADMIN_KEY,
    token: (skierId) => signSkierToken(TOKEN_SECRET, skierId, 300),
    async stop() {
      await lifecycle.stop(10_000);
      await site.stop();
    },
  };
}
