import { afterEach, expect, test } from 'vitest';
import { scaleProblems, showScale } from '../../loadtest/scale/report.ts';
import { runScale } from '../../loadtest/scale/run.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { redisAvailable } from '../support/redis.ts';

const lifecycle = new Lifecycle({ logger: recordedLog().logger });
afterEach(() => lifecycle.stop(60_000), 120_000);

test('a burst that one worker can not take: 1 to 3 or more workers and back to 1, in one turn, and nothing is lost', async () => {
  const report = await runScale(
    {
      queue: redisAvailable ? 'redis' : 'postgres',
      max: 5,
      workerScansPerS: 200,
      burstFactor: 4,
      burstS: 14,
      quietMs: 3_000,
    },
    { lifecycle, onSample: () => {} },
  );
  const problems = scaleProblems(report);
  if (problems.length > 0) throw new Error(showScale(report, problems));
  expect(report.samples.length).toBeGreaterThan(10);
  expect(report.reasons.length).toBeGreaterThanOrEqual(3);
}, 600_000);
