import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { readBooks, untilDrained } from '../course/conservation.ts';
import { print } from '../results.ts';
import { type Figure, perSecond } from './figure.ts';
import { freshnessProbe } from './freshness-probe.ts';
import { fsyncProbe } from './fsync-probe.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { scanLoad } from './scan-load.ts';
import type { BenchSize } from './size.ts';

const GOAL_MS = 250;
const CONNECTIONS = 64;
const WATCHERS = 4;
const DRAIN_MS = 300_000;
/** More than any run needs. */
const ENDLESS = 1e9;

/** Ack to readable at half of what one edge and one worker carry, everything on this machine, the readers included. */
export async function freshness(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const pipeline = await startPipeline(lifecycle, { rides: 1 });
  const { stack, books } = pipeline;
  const capacity = await measureCapacity(pipeline, size.freshnessS / 2);
  print(
    `capacity ${perSecond(capacity.perSecond)} (acked ${perSecond(capacity.acked)}, persisted ${perSecond(capacity.persisted)})`,
  );
  await untilDrained(books, DRAIN_MS);

  const { freshnessS: seconds } = size;
  const edgeUrl = stack.edges[0]?.url ?? '';
  const [load, seen, fsync] = await Promise.all([
    scanLoad({
      url: edgeUrl,
      deviceKey: stack.deviceKey,
      connections: CONNECTIONS,
      scansPerPost: 1,
      count: ENDLESS,
      seconds,
      ratePerS: capacity.perSecond / 2,
    }),
    freshnessProbe({ ...stack, edgeUrl, ridesUrl: stack.rides[0]?.url ?? '', seconds, watchers: WATCHERS }),
    fsyncProbe({ folder: stack.folder, seconds }),
  ]);
  await stack.stop();
  if (load.refused > 0) throw new Error(`${load.refused} posts were refused`);
  return [
    {
      name: `freshness p99 at half of the capacity (${perSecond(load.perSecond)} of ${perSecond(capacity.perSecond)})`,
      goal: `${GOAL_MS} ms or less`,
      measured: `${seen.p99Ms.toFixed(0)} ms (p50 ${seen.p50Ms.toFixed(0)}; one fsync p99 ${fsync.p99Ms.toFixed(1)}, p50 ${fsync.p50Ms.toFixed(1)})`,
      isMet: seen.p99Ms <= GOAL_MS,
      detail: { capacity, load, freshness: seen, fsync },
    },
  ];
}

/** Single posts as fast as they are answered, worker and all: what is both acked and persisted a second. */
async function measureCapacity({ stack, books }: Pipeline, seconds: number) {
  const before = await readBooks(books);
  const load = await scanLoad({
    url: stack.edges[0]?.url ?? '',
    deviceKey: stack.deviceKey,
    connections: CONNECTIONS,
    scansPerPost: 1,
    count: ENDLESS,
    seconds,
  });
  const after = await readBooks(books);
  const persisted = (after.persisted - before.persisted) / load.seconds;
  return { acked: load.perSecond, persisted, perSecond: Math.min(load.perSecond, persisted) };
}
