import { median } from '../client/latencies.ts';
import { until } from '../client/until.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import { usageOf } from '../stack/process-tree.ts';
import type { Fault, FaultContext } from './fault.ts';
import { needsRedis } from './needs.ts';
import { untilRefused } from './tools/until-refused.ts';

/** Scans that may wait in a lane; the load brings so many within seconds. */
const MOST_WAITING = 5_000;
const BEFORE = 8_000;
const AFTER = 3_000;
const FULL_MS = 60_000;
/** How long the edges refuse while their memory is watched. */
const REFUSING_S = 30;
/** The last third of that time may be so much above the first. */
const FLAT = 1.1;
const ANSWER_MS = 10_000;

/** Backpressure: whatever is not taken must be nowhere, or the edges grow until they die with everything that they hold. */
export const workersAway: Fault = {
  name: 'workers-away',
  summary: `no worker until the edges refuse by the backlog, and for ${REFUSING_S} s more: their memory must stay flat`,
  canRun: needsRedis,
  stack: () => ({ env: { ADMIT_BACKLOG_SCANS: String(MOST_WAITING) } }),
  control: { none: 'who refuses forgets nothing; `redis-full` has a control' },
  async inflict(context) {
    const { workers, edges } = context.stack;
    await context.untilMoreAcked(BEFORE);
    await Promise.all(workers.map((worker) => worker.stop()));
    context.mark('workers stopped');
    await untilRefused(context, FULL_MS);
    context.mark('the edges refuse');
    await memoryStaysFlat(context);
    await Promise.all(workers.map((worker) => worker.restart()));
    context.mark('workers are back');
    await context.untilMoreAcked(AFTER);
    context.mark('scans are taken again');
    for (const edge of edges) await until(`${edge.name} has opened`, () => hasOpenedOnce(edge), { timeoutMs: FULL_MS });
  },
};

/** @throws Error when an edge has grown */
async function memoryStaysFlat(context: FaultContext): Promise<void> {
  const { edges } = context.stack;
  const samples: number[][] = [];
  for (let second = 0; second < REFUSING_S; second += 1) {
    samples.push(edges.map(({ pid }) => (usageOf(pid ?? 0)?.residentBytes ?? 0) / 1e6));
    await context.wait(1_000);
  }
  for (const [at, edge] of edges.entries()) {
    const values = samples.map((sample) => sample[at] ?? 0);
    const third = REFUSING_S / 3;
    const [first, last] = [median(values.slice(0, third)), median(values.slice(-third))];
    context.mark(`${edge.name} has ${Math.round(first)} MB, and ${Math.round(last)} MB after ${REFUSING_S} s`);
    if (!(last <= first * FLAT)) throw new Error(`${edge.name} grew from ${first} to ${last} MB while it refused`);
  }
}

const CHANGES = /^liftline_edge_admission_changes_total\{lane="(\d+)",reason="scans",to="(closed|open)"\} (\d+)$/gm;

/** @throws Error for a lane that closed or opened more than once */
async function hasOpenedOnce(edge: ManagedProcess): Promise<true | undefined> {
  const response = await fetch(`${edge.url}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
  const changes = [...(await response.text()).matchAll(CHANGES)];
  const count = (to: string) => changes.filter(([, , direction]) => direction === to).length;
  const again = changes.find(([, , , times]) => times !== '1');
  if (again) throw new Error(`${edge.name}: lane ${again[1]} went ${again[2]} ${again[3]} times`);
  return (count('closed') > 0 && count('open') === count('closed')) || undefined;
}
