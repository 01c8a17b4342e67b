import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { MetricRegistry } from './metric-registry.ts';
import { Scenario, type ScenarioOutcome } from './scenario.ts';
import type { Script, ScriptFunction } from './script.ts';
import { type Phase, runAs } from './session.ts';
import { evaluate, readThresholds, type ThresholdResult } from './thresholds.ts';
import { Timeline, type TimelineSecond } from './timeline.ts';
import { Unsupported } from './unsupported.ts';

export interface TestOutcome {
  /** when the load began */
  startedAt: Date;
  /** of the load, from the first scenario's start to the last iteration's end, milliseconds */
  elapsedMs: number;
  scenarios: ScenarioOutcome[];
  thresholds: ThresholdResult[];
  /** what iterations threw: how often, by message */
  scriptErrors: Record<string, number>;
  /** requests that failed: how often, by what was asked and what came */
  failures: Record<string, number>;
  timeline: TimelineSecond[];
  /** how late this process was for its own timers, which is in every latency, milliseconds */
  generatorDelay: { p99: number; max: number };
  /** whether the signal ended it before its time */
  wasStopped: boolean;
}

export interface TestRun {
  script: Script;
  metrics: MetricRegistry;
  /** ends the load early; `teardown` still runs */
  signal: AbortSignal;
}

const EVENT_LOOP_SAMPLE_MS = 1;

/**
 * Runs a script as k6 does: `setup`, all scenarios at once, `teardown`, thresholds.
 *
 * @throws whatever `setup` or `teardown` throw; Unsupported when an iteration uses what the stand-in doesn't have
 */
export async function runTest({ script, metrics, signal }: TestRun): Promise<TestOutcome> {
  const thresholds = readThresholds(script.options.thresholds, metrics);
  const failures = countFailures(metrics);
  const { setupTimeoutMs, teardownTimeoutMs } = script.options;
  const data = frozenCopy(await callOnce('setup', script.setup, undefined, setupTimeoutMs));
  const startedAt = new Date();
  const load = await runLoad(script, data, metrics, signal);
  await callOnce('teardown', script.teardown, data, teardownTimeoutMs);
  return {
    startedAt,
    ...load,
    failures,
    thresholds: evaluate(thresholds, load.elapsedMs),
    wasStopped: signal.aborted,
  };
}

type Load = Pick<TestOutcome, 'elapsedMs' | 'scenarios' | 'scriptErrors' | 'timeline' | 'generatorDelay'>;

async function runLoad(script: Script, data: unknown, metrics: MetricRegistry, signal: AbortSignal): Promise<Load> {
  const timeline = new Timeline(metrics);
  const misuse = new AbortController();
  const scriptErrors: Record<string, number> = {};
  const onError = (error: unknown): void => {
    if (error instanceof Unsupported) misuse.abort(error);
    scriptErrors[String(error)] = (scriptErrors[String(error)] ?? 0) + 1;
  };
  const late = monitorEventLoopDelay({ resolution: EVENT_LOOP_SAMPLE_MS });
  late.enable();
  timeline.start();
  const startedAt = performance.now();
  const all = script.options.scenarios.map((options) =>
    new Scenario({
      options,
      iterate: script.iterations.get(options.exec) as ScriptFunction,
      data,
      signal: AbortSignal.any([signal, misuse.signal]),
      onError,
      onStart: () => timeline.iterationStarted(),
    }).run(),
  );
  const scenarios = await Promise.race([Promise.all(all), rejectionOf(misuse.signal)]);
  late.disable();
  const generatorDelay = { p99: delayMs(late.percentile(99)), max: delayMs(late.max) };
  return {
    elapsedMs: performance.now() - startedAt,
    scenarios,
    scriptErrors,
    timeline: timeline.end(),
    generatorDelay,
  };
}

/** @returns counts that grow while the script runs */
function countFailures(metrics: MetricRegistry): Record<string, number> {
  const failures: Record<string, number> = {};
  metrics.observe((metric, value, tags) => {
    if (metric !== metrics.builtIn.http_req_failed || value === 0) return;
    const what = `${tags.name}: ${tags.error || tags.status}`;
    failures[what] = (failures[what] ?? 0) + 1;
  });
  return failures;
}

/** Rejects when the signal comes, with its reason. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

/** @param sampledNs from one sample to the next, nanoseconds */
function delayMs(sampledNs: number): number {
  return Math.max(0, sampledNs / 1e6 - EVENT_LOOP_SAMPLE_MS);
}

async function callOnce(
  phase: Phase & ('setup' | 'teardown'),
  call: ScriptFunction | undefined,
  data: unknown,
  timeoutMs: number,
): Promise<unknown> {
  if (!call) return undefined;
  const over = new AbortController();
  const timeout = delay(timeoutMs, undefined, { signal: over.signal }).then(
    () => {
      throw new Error(`${phase} took more than ${timeoutMs} ms`);
    },
    () => undefined,
  );
  try {
    return await Promise.race([runAs({ phase, tags: { group: `::${phase}` } }, async () => call(data)), timeout]);
  } finally {
    over.abort();
  }
}

/** In k6 every user gets a copy of its own; here they share one that nobody can change. */
function frozenCopy(data: unknown): unknown {
  if (data === undefined) return undefined;
  return JSON.parse(JSON.stringify(data), (_key, value: unknown) =>
    typeof value === 'object' && value !== null ? Object.freeze(value) : value,
  ) as unknown;
}
