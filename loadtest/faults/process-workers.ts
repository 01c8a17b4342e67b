import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../client/until.ts';
import type { Stack } from '../stack.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import { needsRedis } from './needs.ts';
import type { Fault, FaultContext } from './fault.ts';
import { killAndRestart, stopAndContinue, terminateAndRestart, withBackground } from './process-actions.ts';

const EVERY_MS = 2_000;
const LEAST_KILLS = 4;
const UP_MS = 60_000;
const LOCK_MS = 10_000;
/** A lost job is found within its lock's time and two looks of 5 s, by a worker that is up. */
const FOUND_MS = 40_000;
/** What a worker logs that finds the job of a worker that was silent for too long. */
const STALLED = 'a job had lost its worker and is back';
const NO_SETTING = 'a worker completes a job after its COMMIT, whatever the settings: only other code could lose';

/** A worker takes longer to start than that on a busy machine: whichever is up is killed, and at times none is. */
export const workerKill: Fault = {
  name: 'worker-kill',
  summary: 'a worker killed with -9 every 2 s, and started again',
  canRun: needsRedis,
  isSeamless: true,
  stack: () => ({}),
  control: { none: NO_SETTING },
  async inflict(context) {
    await withBackground(async (background) => {
      for (let kills = 0; kills < LEAST_KILLS || !context.isEnough(); kills += 1) {
        const worker = await until('a worker is up', () => pickUp(context), { timeoutMs: UP_MS });
        context.mark(`kill -9 ${worker.name}`);
        void background.start(killAndRestart(worker, 0));
        await context.wait(EVERY_MS);
        if (background.hasFailed()) break;
      }
    });
    await wasStalled(context.stack);
  },
};

function pickUp({ stack, random }: FaultContext): ManagedProcess | undefined {
  const up = stack.workers.filter(({ isUp }) => isUp);
  return up.length > 0 ? random.pick(up) : undefined;
}

export const workerStop: Fault = {
  name: 'worker-stop',
  summary: 'a worker stopped for two lock times, then continued: it finishes late what another has done',
  canRun: needsRedis,
  isSeamless: true,
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
  summary: 'one worker after the other told to end (SIGTERM), which it must do cleanly, and started again',
  canRun: needsRedis,
  isSeamless: true,
  stack: () => ({}),
  control: { none: NO_SETTING },
  async inflict(context) {
    const workers = workersOf(context.stack);
    for (let turn = 0; turn < workers.length || !context.isEnough(); turn += 1) {
      const worker = workers[turn % workers.length] as ManagedProcess;
      context.mark(`SIGTERM ${worker.name}`);
      await withBackground((background) => {
        void background.start(terminateAndRestart(worker));
        return context.wait(EVERY_MS);
      });
    }
  },
};

function workersOf(stack: Stack): [ManagedProcess, ...ManagedProcess[]] {
  const [first, ...others] = stack.workers;
  if (!first) throw new Error('there is no worker');
  return [first, ...others];
}

/** Resolves when a job that had lost its worker was found. @throws Error when none was: the fault has missed */
async function wasStalled({ folder, workers }: Stack): Promise<void> {
  const hasFound = async () => {
    const logs = await Promise.all(workers.map(({ name }) => readFile(path.join(folder, `${name}.log`), 'utf8')));
    return logs.some((log) => log.includes(STALLED)) || undefined;
  };
  await until('a job had lost its worker, or the fault has missed', hasFound, { timeoutMs: FOUND_MS });
}
