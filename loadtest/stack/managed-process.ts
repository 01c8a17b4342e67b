import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';

/** A process of the stack, which a test may kill and start again. */
export interface ManagedProcess {
  name: string;
  /** of the process as it runs now */
  readonly pid: number;
  /** whether it runs */
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

/** @throws Error with the end of its log when it ends, or is not ready in a minute */
export async function startProcess(plan: ProcessPlan): Promise<ManagedProcess> {
  let child = await launch(plan);
  const managed: ManagedProcess = {
    name: plan.name,
    url: plan.url,
    get pid() {
      return child.pid ?? Number.NaN;
    },
    get isUp() {
      return !hasEnded(child);
    },
    signal: (signal) => void child.kill(signal),
    ended: () => ended(child),
    async restart() {
      if (!hasEnded(child)) throw new Error(`${plan.name} still runs`);
      child = await launch(plan);
    },
    async stop() {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended(child);
      clearTimeout(timer);
      if (child.signalCode === 'SIGKILL') throw new Error(`${plan.name} did not stop by itself`);
    },
  };
  return managed;
}

async function launch(plan: ProcessPlan): Promise<ChildProcess> {
  const log = await open(plan.logFile, 'a', 0o600);
  // a group of its own: Ctrl-C reaches us alone, and we stop the stack in order
  const child = spawn(plan.command, plan.args, {
    cwd: plan.cwd,
    env: plan.env,
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  child.on('error', () => {}); // shows as "ended" below
  await log.close();
  try {
    await untilReady(plan, child);
  } catch (error) {
    child.kill('SIGKILL');
    const tail = (await readFile(plan.logFile, 'utf8')).trim().split('\n').slice(-8).join('\n');
    throw new Error(`${plan.name} did not start; the end of its log:\n${tail}`, { cause: error });
  }
  return child;
}

async function untilReady(plan: ProcessPlan, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    if (child.pid === undefined || hasEnded(child)) throw new Error('it ended');
    try {
      return await plan.ready();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (!hasEnded(child)) await new Promise((resolve) => child.once('exit', resolve));
  return child.exitCode;
}
