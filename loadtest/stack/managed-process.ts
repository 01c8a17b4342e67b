import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';

/** A process of the stack, which a test may kill and start again. */
export interface ManagedProcess {
  name: string;
  /** of the process as it runs now */
  readonly pid: number;
  /** whether it runs and was ready: not while it starts */
  readonly isUp: boolean;
  /** where it answers HTTP; workers answer probes there */
  url: string;
  signal(signal: NodeJS.Signals): void;
  /** resolves when it has ended, however; @returns its exit code, or null when a signal ended it */
  ended(): Promise<number | null>;
  /** starts it again as it was; resolves when it is ready */
  restart(): Promise<void>;
  /** SIGTERM, and SIGKILL when that takes too long; @throws Error when it had to be killed */
  stop(): Promise<void>;
}

export interface ProcessPlan {
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  url: string;
  /** both streams, appended */
  logFile: string;
  /** rejects while it is not ready */
  ready: () => Promise<void>;
}

const READY_MS = 60_000;
const STOP_MS = 15_000;

/**
 * @param owner stops it, also while it still starts; nothing starts any more once the owner stops: a fault that is just about
 *   to start again what it has killed would leave it behind
 * @throws Error with the end of its log when it ends, or is not ready in a minute
 */
export async function startProcess(plan: ProcessPlan, owner?: Lifecycle): Promise<ManagedProcess> {
  let child = launch(plan, owner);
  let wasReady = false;
  const managed: ManagedProcess = {
    name: plan.name,
    url: plan.url,
    get pid() {
      return child.pid ?? Number.NaN;
    },
    get isUp() {
      return wasReady && !hasEnded(child);
    },
    signal: (signal) => void child.kill(signal),
    ended: () => ended(child),
    async restart() {
      if (!hasEnded(child)) throw new Error(`${plan.name} still runs`);
      child = launch(plan, owner);
      wasReady = false;
      await untilUp(plan, child);
      wasReady = true;
    },
    stop: () => stop(plan, child),
  };
  owner?.onStop(plan.name, () => managed.stop());
  await untilUp(plan, child);
  wasReady = true;
  return managed;
}

/** Waits for nothing: between the look at the owner and the new child nobody can stop it. */
function launch(plan: ProcessPlan, owner: Lifecycle | undefined): ChildProcess {
  if (owner?.isStopping) throw new Error(`${plan.name} is not started: all of it stops`);
  const log = openSync(plan.logFile, 'a', 0o600);
  try {
    // a group of its own: Ctrl-C reaches us alone, and we stop the stack in order
    const child = spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: plan.env,
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.on('error', () => {}); // shows as "ended" below
    return child;
  } finally {
    closeSync(log);
  }
}

async function untilUp(plan: ProcessPlan, child: ChildProcess): Promise<void> {
  try {
    await untilReady(plan, child);
  } catch (error) {
    child.kill('SIGKILL');
    const tail = (await readFile(plan.logFile, 'utf8')).trim().split('\n').slice(-8).join('\n');
    throw new Error(`${plan.name} did not start; the end of its log:\n${tail}`, { cause: error });
  }
}

async function untilReady(plan: ProcessPlan, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    if (hasEnded(child)) throw new Error('it ended');
    try {
      return await plan.ready();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function stop({ name }: ProcessPlan, child: ChildProcess): Promise<void> {
  let isKilled = false;
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    isKilled = child.kill('SIGKILL');
  }, STOP_MS);
  await ended(child);
  clearTimeout(timer);
  if (isKilled) throw new Error(`${name} did not stop by itself`);
}

/** Also of what could not be started. */
function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (!hasEnded(child)) await new Promise((resolve) => child.once('exit', resolve));
  return child.exitCode;
}
