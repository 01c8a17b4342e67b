import type { Books } from '../course/conservation.ts';
import type { Machine } from '../machine.ts';
import { machineLine } from '../machine.ts';
import { markdownTable } from '../results.ts';

/** The pool and its backlog at one moment. */
export interface PoolSample {
  /** seconds since the load began */
  atS: number;
  /** processes: how many there are to be, and how many are ready */
  desired: number;
  ready: number;
  backlogScans: number;
  /** seconds that the ready ones need for it */
  backlogS: number;
  /** age of the oldest scan that waits */
  oldestS: number;
  /** what `/ops/autoscale` says at the same time */
  autoscale: number;
}

export interface ScaleReport {
  options: ScaleOptions;
  machine: Machine;
  /** when the burst began and ended, seconds */
  burst: { fromS: number; toS: number };
  samples: PoolSample[];
  acked: number;
  refused: number;
  books: Books;
  /** what the supervisor said of its changes */
  reasons: string[];
}

export interface ScaleOptions {
  queue: 'redis' | 'postgres';
  max: number;
  /** what one worker may store, scans a second */
  workerScansPerS: number;
  /** what the burst brings, as a multiple of that */
  burstFactor: number;
  burstS: number;
  quietMs: number;
}

export const TARGET_S = 5;
/** The pool must grow to this at least. */
const GROWN = 3;

/** @returns what is wrong, one sentence each; nothing when the run is good */
export function scaleProblems({ samples, acked, refused, books }: Omit<ScaleReport, 'options' | 'machine'>): string[] {
  const problems: string[] = [];
  const check = (isRight: boolean, problem: string) => {
    if (!isRight) problems.push(problem);
  };
  const sizes = samples.map(({ desired }) => desired);
  const [first, last] = [samples[0], samples.at(-1)];
  check(first?.desired === 1, `the pool began with ${first?.desired}, not 1`);
  check(Math.max(...sizes) >= GROWN, `the pool grew to ${Math.max(...sizes)}, not to ${GROWN} or more`);
  check(
    samples.some(({ backlogS }) => backlogS > TARGET_S),
    'the backlog was never over its target: no burst',
  );
  check(
    (last?.backlogS ?? 0) < TARGET_S,
    `the backlog ends at ${last?.backlogS.toFixed(1)} s, not under ${TARGET_S} s`,
  );
  check(last?.desired === 1, `the pool ended with ${last?.desired}, not 1`);
  check(turnsOf(sizes) <= 1, `the pool changed its direction ${turnsOf(sizes)} times: ${sizes.join(' ')}`);
  check(refused === 0, `${refused} posts were refused`);
  const { enqueued, persisted, duplicate, dead, inFlight, jobsUnaccounted } = books;
  check(enqueued === acked, `${acked} scans were acked, and ${enqueued} enqueued`);
  check(persisted === acked, `${acked} scans were acked, and ${persisted} persisted`);
  check(enqueued === persisted + duplicate + dead + inFlight, 'the books do not balance');
  check(jobsUnaccounted === 0, `${jobsUnaccounted} jobs are unaccounted for`);
  return problems;
}

/** How often the pool began to shrink after it had grown, or the other way round. */
export function turnsOf(sizes: readonly number[]): number {
  const steps = sizes.flatMap((size, at) => {
    const before = sizes[at - 1] ?? size;
    return size === before ? [] : [Math.sign(size - before)];
  });
  return steps.filter((step, at) => at > 0 && step !== steps[at - 1]).length;
}

export function sampleLine(sample: PoolSample): string {
  return cellsOf(sample).join('  ');
}

function cellsOf({ atS, desired, ready, backlogScans, backlogS, oldestS, autoscale }: PoolSample): string[] {
  const bar = '#'.repeat(ready) + '+'.repeat(Math.max(0, desired - ready));
  return [
    `${atS.toFixed(0)} s`,
    `${ready}/${desired}`,
    bar,
    String(backlogScans),
    `${backlogS.toFixed(1)} s`,
    `${oldestS.toFixed(1)} s`,
    String(autoscale),
  ];
}

export function showScale(report: ScaleReport, problems: readonly string[]): string {
  const { samples, acked, books, burst, options, reasons } = report;
  const head = ['time', 'ready/desired', 'pool', 'scans waiting', 'for this pool', 'oldest', '/ops/autoscale'];
  const { enqueued, persisted, duplicate, dead, inFlight } = books;
  return [
    markdownTable([head, ...samples.map(cellsOf)]),
    `burst of ${options.burstFactor} × what one worker may store (${options.workerScansPerS} scans/s), from ${burst.fromS.toFixed(0)} s to ${burst.toS.toFixed(0)} s`,
    ...reasons,
    `largest pool ${Math.max(...samples.map(({ desired }) => desired))}; oldest scan at most ${Math.max(...samples.map(({ oldestS }) => oldestS)).toFixed(1)} s`,
    `acked ${acked}; enqueued ${enqueued} = persisted ${persisted} + duplicate ${duplicate} + dead ${dead} + in flight ${inFlight}`,
    `on ${machineLine(report.machine)}`,
    ...problems.map((problem) => `WRONG: ${problem}`),
    problems.length === 0 ? 'grew, caught up, shrank, lost nothing' : `${problems.length} problems`,
  ].join('\n');
}
