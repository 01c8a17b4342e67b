import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { untilDrained } from '../course/conservation.ts';
import { median } from '../client/latencies.ts';
import type { Stack } from '../stack.ts';
import { usageOf } from '../stack/process-tree.ts';
import type { Figure } from './figure.ts';
import { startPipeline } from './pipeline.ts';
import { scanLoad } from './scan-load.ts';
import type { BenchSize } from './size.ts';

interface Sample {
  atS: number;
  edgeMB: number;
  workerMB: number;
}

const LIMIT_MB = 200;
/** The last quarter of the run may be so much above the second one: the first fills caches and compiles. */
const FLAT = 1.15;
const SAMPLE_MS = 500;
const SINGLE_SHARE = 0.2;
const DRAIN_MS = 300_000;

/** Resident memory while a million scans pass: a fifth as single posts, the rest in batches. */
export async function memory(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const { stack, books } = await startPipeline(lifecycle, {});
  const samples: Sample[] = [];
  const startedAt = performance.now();
  const sampler = setInterval(() => samples.push(sample(stack, startedAt)), SAMPLE_MS);
  lifecycle.onStop('memory sampler', () => clearInterval(sampler));
  const common = { url: stack.edges[0]?.url ?? '', deviceKey: stack.deviceKey, connections: 32 };
  const singles = Math.round(size.memoryScans * SINGLE_SHARE);
  const first = await scanLoad({ ...common, scansPerPost: 1, count: singles });
  const rest = await scanLoad({ ...common, scansPerPost: 100, count: size.memoryScans - singles });
  if (first.acked + rest.acked !== size.memoryScans) throw new Error('not every scan was acked');
  await untilDrained(books, DRAIN_MS);
  samples.push(sample(stack, startedAt));
  clearInterval(sampler);
  await stack.stop();
  return [figure('the edge', 'edgeMB', samples, size), figure('a worker', 'workerMB', samples, size)];
}

function sample(stack: Stack, startedAt: number): Sample {
  return {
    atS: (performance.now() - startedAt) / 1_000,
    edgeMB: residentMB(stack.edges[0]?.pid),
    workerMB: residentMB(stack.workers[0]?.pid),
  };
}

function figure(name: string, field: 'edgeMB' | 'workerMB', samples: Sample[], size: BenchSize): Figure {
  const values = samples.map((each) => each[field]);
  const quarter = (n: number) => median(values.slice((values.length * (n - 1)) / 4, (values.length * n) / 4));
  const [second, last, peak] = [quarter(2), quarter(4), Math.max(...values)];
  return {
    name: `resident memory of ${name} after ${size.memoryScans.toLocaleString('en')} scans`,
    goal: `${LIMIT_MB} MB, flat`,
    measured: `${Math.round(values.at(-1) ?? Number.NaN)} MB (second quarter ${Math.round(second)}, last ${Math.round(last)}, peak ${Math.round(peak)})`,
    isMet: last <= LIMIT_MB && last <= second * FLAT,
    detail: { samples },
  };
}

function residentMB(pid: number | undefined): number {
  return pid ? (usageOf(pid)?.residentBytes ?? 0) / 1e6 : 0;
}
