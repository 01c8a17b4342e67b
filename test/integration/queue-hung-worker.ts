import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { openConsumer } from '../../src/queue/consumer.ts';

/** A worker process for the tests to kill: it takes jobs of lane 0, says so, and never finishes one. */
const [queueUrl, queuePrefix, lockMs, stallCheckMs] = process.argv.slice(2) as [string, string, string, string];
const logger = createLogger({ level: 'silent', process: 'hung worker' });
const consumer = openConsumer({
  queueUrl,
  queuePrefix,
  lane: 0,
  concurrency: 2,
  lockMs: Number(lockMs),
  stallCheckMs: Number(stallCheckMs),
  logger,
  lifecycle: new Lifecycle({ logger }),
  handle: ({ jobId }) => {
    process.stdout.write(`${jobId}\n`);
    return new Promise(() => {});
  },
});
consumer.start();
