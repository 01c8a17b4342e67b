import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Stack } from '../stack.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import type { Fault, FaultContext, FaultPlace, FaultStackOptions } from './fault.ts';
import { needsRedis } from './needs.ts';
import { readWrongTimes } from './tools/node-books.ts';
import { processClock } from './tools/set-clock.ts';

const SHIFT_MS = 90_000;
/** Longer than a lock and a look for stalled jobs: if a worker's clock counted, its jobs would be taken from it. */
const HELD_MS = 16_000;
const SCANS_MEANWHILE = 3_000;
/** Far more than a job takes here, and less than the shift. */
const LONGEST_S = 60;

/**
 * The date of a worker's machine is set 90 s ahead and then 90 s back while it works, then that of an edge. The times that
 * are kept come from the queue server's clock: they must stay right, and no job may be taken from its worker.
 */
export const shiftedClock: Fault = {
  name: 'clock-shift',
  summary: 'the clock of a worker, then of an edge, is set 90 s ahead and 90 s back',
  canRun: needsRedis,
  stack: withClocks,
  inflict,
  control: { none: 'no setting makes Liftline trust the clock of an edge or a worker' },
};

function withClocks(place: FaultPlace): FaultStackOptions {
  return { envOf: (name) => (SHIFTED.includes(name) ? processClock(place.folder, name).env : {}) };
}

const SHIFTED = ['worker-0', 'edge-0'];

async function inflict(context: FaultContext): Promise<void> {
  const { workers, edges } = context.stack;
  const shifted = [...workers, ...edges].filter(({ name }) => SHIFTED.includes(name));
  do {
    for (const process of shifted) await shiftAndBack(context, process);
  } while (!context.isEnough());
  const problems = await clockProblems(context.stack);
  if (problems.length > 0) throw new Error(problems.join('; '));
}

async function shiftAndBack(context: FaultContext, process: ManagedProcess): Promise<void> {
  const clock = processClock(context.place.folder, process.name);
  for (const shiftMs of [SHIFT_MS, -SHIFT_MS]) {
    await clock.set(process, shiftMs);
    context.mark(`clock of ${process.name} ${shiftMs > 0 ? '+' : '−'}${SHIFT_MS / 1_000} s`);
    await Promise.all([context.untilMoreAcked(SCANS_MEANWHILE), context.wait(HELD_MS)]);
  }
  await clock.set(process, 0);
  context.mark(`clock of ${process.name} is right`);
}

/** @returns what the shifts have changed and must not */
async function clockProblems(stack: Stack): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, url } of stack.nodes) {
    const { ahead, longBefore } = await readWrongTimes(url, LONGEST_S);
    if (ahead > 0) problems.push(`${name}: ${ahead} jobs were accepted after their commit`);
    if (longBefore > 0) problems.push(`${name}: ${longBefore} jobs were accepted ${LONGEST_S} s before their commit`);
  }
  for (const { name, url } of stack.workers) {
    const stalled = await countStalls(path.join(stack.folder, `${name}.log`));
    if (stalled > 0) problems.push(`${name} found ${stalled} stalled jobs`);
    const stale = await countStale(url);
    if (stale > 0) problems.push(`${name} measured ${stale} jobs staler than ${LONGEST_S} s`);
  }
  return problems;
}

async function countStalls(logFile: string): Promise<number> {
  return (await readFile(logFile, 'utf8')).split('a job had lost its worker').length - 1;
}

async function countStale(workerUrl: string): Promise<number> {
  const metrics = await (await fetch(`${workerUrl}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
  const value = (sample: string) => {
    const line = metrics.split('\n').find((one) => one.startsWith(`liftline_freshness_seconds_${sample}`));
    if (!line) throw new Error(`the worker has no freshness ${sample}`);
    return Number(line.split(' ').at(-1));
  };
  return value('count') - value(`bucket{le="${LONGEST_S}"`);
}
