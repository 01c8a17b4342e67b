import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { askPostgres } from './ask-postgres.ts';
import { queueKind } from './lanes.ts';
import { createServerClock } from './server-clock.ts';

export interface ClockSkew {
  /** this machine's clock minus the server's, milliseconds */
  skewMs: number;
  /** how far that may be off */
  errorMs: number;
}

/** What is wrong with the clock: a reason not to run workers, or only a reason to look after it. */
export type SkewFinding = { problem: string } | { warning: string };

const SAMPLES = 5;
const TIMEOUT_MS = 5_000;
/**
 * A job's lock is renewed each third of `LOCK_MS`, so two thirds of it are left at least. Two workers that are each a third off
 * differ by two thirds at most, and neither takes the other's lock for expired.
 */
const REFUSED_PART = 1 / 3;
const WARNED_PART = 1 / 10;

/**
 * BullMQ's workers on Postgres stamp and judge locks by their own clocks; on Redis the server does both.
 *
 * @param localMs this machine's date; only tests give their own
 * @returns undefined on Redis, where nothing depends on it
 * @throws Error when the server does not answer
 */
export async function measureClockSkew(queueUrl: string, localMs?: () => number): Promise<ClockSkew | undefined> {
  if (queueKind(queueUrl) === 'redis') return undefined;
  return askPostgres(queueUrl, TIMEOUT_MS, (client) =>
    measureSkew(async () => {
      const { rows } = await client.query<{ ms: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
      );
      return (rows[0] as { ms: number }).ms;
    }, localMs),
  );
}

/** @returns by the sample with the shortest round trip */
export async function measureSkew(
  readServerTimeMs: () => Promise<number>,
  localMs: () => number = Date.now,
): Promise<ClockSkew> {
  const clock = createServerClock({ readServerTimeMs, localMs });
  for (let i = 0; i < SAMPLES; i += 1) await clock.measure();
  return { skewMs: localMs() - clock.nowMs(), errorMs: clock.errorMs() };
}

/** @returns undefined when the clock is good enough, as far as one can tell */
export function judgeClockSkew({ skewMs, errorMs }: ClockSkew, lockMs: number): SkewFinding | undefined {
  const certainMs = Math.abs(skewMs) - errorMs;
  if (certainMs <= lockMs * WARNED_PART) return undefined;
  const isRefused = certainMs > lockMs * REFUSED_PART;
  const found = `this machine's clock is ${seconds(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} the Postgres server's`;
  const why = 'workers on Postgres judge by their own clocks whether a job lost its worker';
  const fix = `set the clocks right (NTP); at most ${seconds(lockMs * REFUSED_PART)} is allowed, a third of LOCK_MS`;
  const text = `${found}, and ${why}: ${fix}`;
  return isRefused ? { problem: text } : { warning: text };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Looks at the clock again and again, and warns when it goes wrong: a worker that runs is not stopped for it. */
export function watchClockSkew(o: {
  queueUrl: string;
  lockMs: number;
  everyMs: number;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
  localMs?: () => number;
}): void {
  if (queueKind(o.queueUrl) === 'redis') return;
  let wasGood = true;
  const look = async () => {
    const skew = await measureClockSkew(o.queueUrl, o.localMs);
    const finding = skew && judgeClockSkew(skew, o.lockMs);
    if (finding && wasGood) o.logger.warn({ ...skew, ...finding }, 'the clock is off');
    if (!finding && !wasGood) o.logger.info({ ...skew }, 'the clock is right again');
    wasGood = !finding;
  };
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking
      .then(look)
      .catch((error: unknown) => o.logger.debug({ err: error }, 'the queue does not tell its time'));
  }, o.everyMs);
  o.lifecycle.onStop('clock watch', async () => {
    clearInterval(timer);
    await looking;
  });
}
