import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { scanLoad } from '../bench/scan-load.ts';
import { until } from '../client/until.ts';
import { untilDrained } from '../course/conservation.ts';
import { describeMachine } from '../machine.ts';
import { liftlineProcess } from '../stack/liftline.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import { type Stack, startStack } from '../stack.ts';
import { PoolWatch } from './pool-watch.ts';
import { type PoolSample, type ScaleOptions, type ScaleReport, TARGET_S } from './report.ts';

const SCANS_PER_POST = 20;
const CONNECTIONS = 8;
const STEADY_S = 4;
/** The share of one worker that comes in before the burst. */
const STEADY_SHARE = 0.3;
const SETTLE_MS = 120_000;
/** Its name, and that of its log. */
const POOL = 'pool';

/** A pool from one worker up and back: a steady load that one can take, a burst that it can't, and silence. */
export async function runScale(
  options: ScaleOptions,
  o: { lifecycle: Lifecycle; onSample: (sample: PoolSample) => void },
): Promise<ScaleReport> {
  const env = { WORKER_SCANS_PER_S: String(options.workerScansPerS), BACKLOG_TARGET_MS: String(TARGET_S * 1_000) };
  const stack = await startStack({ queue: options.queue, workers: 0, rides: 0, env }, o.lifecycle);
  const pool = await startPool(stack, options, o.lifecycle);
  const books = { opsUrl: stack.ops.url, adminKey: stack.adminKey };
  const { workerScansPerS: ratePerS } = options;
  const watch = new PoolWatch({ poolUrl: pool.url, ...books, ratePerS, onSample: o.onSample });
  o.lifecycle.onStop('watch', () => watch.stop());

  const steady = await load(stack, ratePerS * STEADY_SHARE, STEADY_S);
  const fromS = watch.nowS;
  const burst = await load(stack, ratePerS * options.burstFactor, options.burstS);
  const toS = watch.nowS;
  const found = await untilDrained(books, SETTLE_MS);
  await until('the pool is as small as it began', () => (watch.samples.at(-1)?.desired === 1 ? true : undefined), {
    timeoutMs: SETTLE_MS,
    everyMs: 250,
  });
  await watch.stop();
  return {
    options,
    machine: await describeMachine(),
    burst: { fromS, toS },
    samples: watch.samples,
    acked: steady.acked + burst.acked,
    refused: steady.refused + burst.refused,
    books: found,
    reasons: await reasonsOf(stack),
  };
}

function startPool(stack: Stack, options: ScaleOptions, owner: Lifecycle): Promise<ManagedProcess> {
  return liftlineProcess({
    kind: 'workers',
    args: ['--min', '1', '--max', String(options.max)],
    name: POOL,
    folder: stack.folder,
    env: {
      ...stack.env,
      LOG_LEVEL: 'info',
      POOL_QUIET_MS: String(options.quietMs),
      // what a braked worker has in hand nobody else can take
      WORKER_CONCURRENCY: '2',
    },
    owner,
  });
}

function load(stack: Stack, scansPerS: number, seconds: number) {
  return scanLoad({
    url: stack.edges[0]?.url ?? '',
    deviceKey: stack.deviceKey,
    connections: CONNECTIONS,
    scansPerPost: SCANS_PER_POST,
    count: Math.round((scansPerS * seconds) / SCANS_PER_POST) * SCANS_PER_POST,
    ratePerS: scansPerS / SCANS_PER_POST,
  });
}

/** The supervisor's own words. */
async function reasonsOf(stack: Stack): Promise<string[]> {
  const log = await readFile(path.join(stack.folder, `${POOL}.log`), 'utf8');
  return log.split('\n').flatMap((line) => {
    if (!line.includes('"the pool ')) return [];
    const {
      time: _time,
      level: _level,
      pid: _pid,
      process: _process,
      msg,
      ...detail
    } = JSON.parse(line) as Record<string, unknown>;
    return 'from' in detail ? [`${String(msg)} ${JSON.stringify(detail)}`] : [];
  });
}
