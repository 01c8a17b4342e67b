import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { untilDrained } from '../course/conservation.ts';
import { median } from '../client/latencies.ts';
import { print } from '../results.ts';
import { startPipeline } from './pipeline.ts';
import { cpuByPart, perScan } from './cpu.ts';
import type { Figure } from './figure.ts';
import { scanLoad } from './scan-load.ts';
import type { BenchSize } from './size.ts';

const WAYS = [
  { name: 'single posts', scansPerPost: 1, connections: 64, goalUs: 100 },
  { name: 'batches of 100', scansPerPost: 100, connections: 16, goalUs: 35 },
];
const DRAIN_MS = 300_000;

/** What a scan costs from the post to the COMMIT, at full speed, by part of the system. */
export async function cpuSplit(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const { stack, books } = await startPipeline(lifecycle, {});
  const url = stack.edges[0]?.url ?? '';
  const seen = new Map<string, ReturnType<typeof perScan>[]>();
  for (let round = 0; round <= size.rounds; round += 1) {
    for (const way of WAYS) {
      const isWarmUp = round === 0;
      const count = isWarmUp ? size.persistScans / 10 : size.persistScans;
      const before = cpuByPart(stack);
      const load = await scanLoad({ ...way, url, deviceKey: stack.deviceKey, count });
      if (load.acked !== count) throw new Error(`${load.acked} of ${count} scans were acked`);
      await untilDrained(books, DRAIN_MS);
      const costs = perScan(before, cpuByPart(stack), count);
      if (isWarmUp) continue;
      print(`round ${round}, ${way.name}: ${costsText(costs)}`);
      seen.set(way.name, [...(seen.get(way.name) ?? []), costs]);
    }
  }
  await stack.stop();
  return WAYS.map(({ name, goalUs }) => figure(name, goalUs, seen.get(name) ?? []));
}

function figure(name: string, goalUs: number, rounds: ReturnType<typeof perScan>[]): Figure {
  const of = (part: keyof ReturnType<typeof perScan>) => median(rounds.map((round) => round[part]));
  const costs = {
    edge: of('edge'),
    queue: of('queue'),
    worker: of('worker'),
    postgres: of('postgres'),
    sum: of('sum'),
  };
  return {
    name: `CPU a scan, ${name}`,
    goal: `${goalUs} µs or less`,
    measured: costsText(costs),
    isMet: costs.sum <= goalUs,
    detail: { rounds },
  };
}

function costsText({ sum, edge, queue, worker, postgres }: ReturnType<typeof perScan>): string {
  const [all, ...parts] = [sum, edge, queue, worker, postgres].map((value) => value.toFixed(value < 10 ? 1 : 0));
  return `${all} µs (edge ${parts[0]}, queue ${parts[1]}, worker ${parts[2]}, Postgres ${parts[3]})`;
}
