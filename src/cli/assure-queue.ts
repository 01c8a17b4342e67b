import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../domain/problem.ts';
import type { Config } from '../platform/config.ts';
import { ConfigError } from '../platform/config.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { judgeClockSkew, measureClockSkew, watchClockSkew } from '../queue/clock-skew.ts';
import { checkDurability, type DurabilityReport } from '../queue/durability.ts';
import { prepareQueue } from '../queue/prepare.ts';

const RETRY_MS = 1_000;
/** A queue that stays away is mentioned this often. */
const REMIND_MS = 30_000;

/** The clock of a worker is looked at this often. */
const CLOCK_EVERY_MS = 60_000;

type QueueConfig = Pick<Config, 'queueUrl' | 'queuePrefix' | 'queueDurability' | 'queueReplicas' | 'lockMs'>;

export interface AssureOptions {
  logger: Logger;
  lifecycle: Lifecycle;
  /** takes jobs, so that its clock must be right on Postgres; now, and while it runs */
  isWorker?: boolean;
  /** this machine's date; only tests give their own */
  localMs?: () => number;
}

/**
 * Makes the queue ready for jobs and checks that it keeps what it confirms. Waits as long as it is away, and says so.
 *
 * @throws ConfigError with everything that would lose jobs
 */
export async function assureQueue(config: QueueConfig, o: AssureOptions): Promise<void> {
  let nextReminderAt = 0;
  for (;;) {
    try {
      await prepareQueue(config);
      const { problems, warnings } = await check(config, o);
      if (problems.length > 0) throw new ConfigError(problems.map((problem) => `QUEUE_URL: ${problem}`));
      for (const warning of warnings) o.logger.warn({ warning }, 'the queue may not be what it should be');
      break;
    } catch (error) {
      if (error instanceof ConfigError || o.lifecycle.isStopping) throw error;
      if (performance.now() >= nextReminderAt) {
        o.logger.warn({ reason: reasonOf(error) }, 'waiting for the queue');
        nextReminderAt = performance.now() + REMIND_MS;
      }
      await delay(RETRY_MS);
    }
  }
  if (o.isWorker) watchClockSkew({ ...config, ...o, everyMs: CLOCK_EVERY_MS });
}

async function check(config: QueueConfig, { isWorker, localMs }: AssureOptions): Promise<DurabilityReport> {
  const { queueUrl, queueDurability, queueReplicas, lockMs } = config;
  const { problems, warnings } = await checkDurability(queueUrl, queueDurability, { replicas: queueReplicas });
  const skew = isWorker && (await measureClockSkew(queueUrl, localMs));
  const finding = skew && judgeClockSkew(skew, lockMs);
  if (finding && 'problem' in finding) problems.push(finding.problem);
  if (finding && 'warning' in finding) warnings.push(finding.warning);
  return { problems, warnings };
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
