import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Stack } from '../stack.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import { needsRedis } from './needs.ts';
import type { Fault, FaultContext } from './fault.ts';
import { killAndRestart, stopAndContinue, terminateAndRestart } from './process-actions.ts';

const EVERY_MS = 2_000;
const LOCK_MS = 10_000;
/** What a worker logs that finds the job of a worker that was silent for too long. */
const STALLED = 'a job had lost its worker and is back';
const NO_SETTING = 'a worker completes a job after its COMMIT, whatever the settings: only other code could lose';

/** The workers take turns. */
export const workerKill: Fault = {
  name: 'worker-kill',
  summary: 'a worker killed with -9 every 2 s, and started again',
  canRun: needsRedis,
  stack: () => ({}),
  control: { none: NO_SETTING },
  async inflict(context) {
    await untilEnough(context, async (worker) => {
      context.mark(`kill -9 ${worker.name}`);
      await killAndRestart(worker, 0);
    });
    await wasStalled(context.stack);
  },
};

export const workerStop: Fault = {
  name: 'worker-stop',
  summary: 'a worker stopped for two lock times, then continued: it finishes late what another has done',
  canRun: needsRedis,
  stack: () => ({ env: { LOCK_MS: String(LOCK_MS) } }),
  control: { none: NO_SETTING },
  async inflict(context) {
    const worker = workersOf(context.stack)[0];
    context.mark(`SIGSTOP ${worker.name}`);
    await stopAndContinue(worker, 2 * LOCK_MS);
    context.mark(`SIGCONT ${worker.name}`);
    await wasStalled(context.stack);
    await context.wait(EVERY_MS); // it must have the time to finish late
  },
};

export const workerTerm: Fault = {
  name: 'worker-term',
  summary: 'a worker told to end (SIGTERM) every 2 s, which it must do cleanly, and started again',
  canRun: needsRedis,
  stack: () => ({}),
  control: { none: NO_SETTING },
  inflict: (context) =>
    untilEnough(context, async (worker) => {
      context.mark(`SIGTERM ${worker.name}`);
      await terminateAndRestart(worker);
    }),
};

/** One worker after the other, each begin two seconds after the last; once each at least. */
async function untilEnough(context: FaultContext, act: (worker: ManagedProcess) => Promise<void>): Promise<void> {
  const workers = workersOf(context.stack);
  for (let turn = 0; turn < workers.length || !context.isEnough(); turn += 1) {
    const startedAt = performance.now();
    await act(workers[turn % workers.length] as ManagedProcess);
    await context.wait(Math.max(0, EVERY_MS - (performance.now() - startedAt)));
  }
}

function workersOf(stack: Stack): [ManagedProcess, ...ManagedProcess[]] {
  const [first, ...others] = stack.workers;
  if (!first) throw new Error('there is no worker');
  return [first, ...others];
}

/** @throws Error when no job has lost its worker: the fault has missed */
async function wasStalled({ folder, workers }: Stack): Promise<void> {
  const logs = await Promise.all(workers.map(({ name }) => readFile(path.join(folder, `${name}.log`), 'utf8')));
  if (!logs.some((log) => log.includes(STALLED))) throw new Error('no job had lost its worker: the fault has missed');
}
