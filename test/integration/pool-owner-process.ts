import { WorkerChildren } from '../../src/cli/worker-children.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';

/** A process that owns two children, for the tests to kill. */
const [program, pidFile] = process.argv.slice(2) as [string, string];
const logger = createLogger({ level: 'silent', process: 'owner' });
const pool = new WorkerChildren({
  program,
  args: ['works', pidFile],
  env: { ...process.env },
  count: 2,
  stopMs: 5_000,
  silentMs: 30_000,
  logger,
  lifecycle: new Lifecycle({ logger }),
});
logger.info({ size: pool.size }, 'started');
