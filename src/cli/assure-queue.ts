import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../domain/problem.ts';
import type { Config } from '../platform/config.ts';
import { ConfigError } from '../platform/config.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { checkDurability } from '../queue/durability.ts';
import { prepareQueue } from '../queue/prepare.ts';

const RETRY_MS = 1_000;
/** A queue that stays away is mentioned this often. */
const REMIND_MS = 30_000;

/**
 * Makes the queue ready for jobs and checks that it keeps what it confirms. Waits as long as it is away, and says so.
 *
 * @throws ConfigError with what would lose jobs
 */
export async function assureQueue(
  config: Pick<Config, 'queueUrl' | 'queuePrefix' | 'queueDurability'>,
  o: { logger: Logger; lifecycle: Lifecycle },
): Promise<void> {
  let nextReminderAt = 0;
  for (;;) {
    try {
      await prepareQueue(config);
      const { problems, warnings } = await checkDurability(config.queueUrl, config.queueDurability);
      if (problems.length > 0) throw new ConfigError(problems.map((problem) => `QUEUE_URL: ${problem}`));
      for (const warning of warnings) o.logger.warn({ warning }, 'the queue may lose what it confirmed');
      return;
    } catch (error) {
      if (error instanceof ConfigError || o.lifecycle.isStopping) throw error;
      if (performance.now() >= nextReminderAt) {
        o.logger.warn({ reason: reasonOf(error) }, 'waiting for the queue');
        nextReminderAt = performance.now() + REMIND_MS;
      }
      await delay(RETRY_MS);
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
