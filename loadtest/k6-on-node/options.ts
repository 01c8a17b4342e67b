import { z } from 'zod';
import { type ArrivalPlan, constantArrivals, rampingArrivals } from './arrival-plan.ts';
import { parseDuration } from './duration.ts';
import { Unsupported } from './unsupported.ts';

export interface ScenarioOptions {
  name: string;
  executor: string;
  /** name of the script's export that is an iteration */
  exec: string;
  /** after the run's start, milliseconds */
  startMs: number;
  /** how long iterations may take after the last was started, milliseconds */
  gracefulStopMs: number;
  /** users at most; see {@link readOptions} */
  maxUsers: number;
  arrivals: ArrivalPlan;
}

export interface TestOptions {
  scenarios: ScenarioOptions[];
  thresholds: Record<string, string[]>;
  setupTimeoutMs: number;
  teardownTimeoutMs: number;
}

const duration = z.union([z.string(), z.number()]).transform((value, context) => {
  try {
    return parseDuration(value);
  } catch (error) {
    context.addIssue(String(error));
    return z.NEVER;
  }
});
const count = z.int().min(1);

const common = {
  exec: z.string().default('default'),
  startTime: duration.default(0),
  gracefulStop: duration.default(30_000),
  timeUnit: duration.default(1_000),
  preAllocatedVUs: z.int().min(0),
  maxVUs: count.optional(),
};

const scenario = z.discriminatedUnion('executor', [
  z.strictObject({ executor: z.literal('constant-arrival-rate'), rate: count, duration, ...common }),
  z.strictObject({
    executor: z.literal('ramping-arrival-rate'),
    startRate: z.int().min(0).default(0),
    stages: z.array(z.strictObject({ duration, target: z.int().min(0) })).min(1),
    ...common,
  }),
]);

const options = z.strictObject({
  scenarios: z
    .record(z.string(), scenario)
    .refine((all) => Object.keys(all).length > 0, { error: 'there must be a scenario' }),
  thresholds: z.record(z.string(), z.array(z.string())).default({}),
  setupTimeout: duration.default(60_000),
  teardownTimeout: duration.default(60_000),
});

/**
 * Reads a script's `options`. k6 makes users beyond `preAllocatedVUs` while it runs, and drops the iteration that showed
 * the need; here a user costs nothing, so all up to `maxVUs` are there from the start.
 *
 * @throws Unsupported that names every option the stand-in doesn't have, and every value that can't be
 */
export function readOptions(value: unknown): TestOptions {
  const parsed = options.safeParse(value);
  if (!parsed.success) throw new Unsupported(`options: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}: this`);
  const { scenarios, thresholds, setupTimeout, teardownTimeout } = parsed.data;
  return {
    scenarios: Object.entries(scenarios).map(([name, of]) => ({
      name,
      executor: of.executor,
      exec: of.exec,
      startMs: of.startTime,
      gracefulStopMs: of.gracefulStop,
      maxUsers: of.maxVUs ?? of.preAllocatedVUs,
      arrivals:
        of.executor === 'constant-arrival-rate'
          ? constantArrivals(of.rate, of.timeUnit, of.duration)
          : rampingArrivals(of.startRate, of.timeUnit, of.stages),
    })),
    thresholds,
    setupTimeoutMs: setupTimeout,
    teardownTimeoutMs: teardownTimeout,
  };
}
