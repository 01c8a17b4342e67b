import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess } from '../stack/managed-process.ts';
import type { PostgresServer } from '../stack/postgres-server.ts';

/** What can be done to one process; each resolves when it is whole again. */

/** kill -9, and a new start when it has been away for a while. */
export async function killAndRestart(process: ManagedProcess, awayMs: number): Promise<void> {
  process.signal('SIGKILL');
  await process.ended();
  await delay(awayMs);
  await process.restart();
}

/** SIGTERM, as an orchestrator stops it. @throws Error when it does not end cleanly */
export async function terminateAndRestart(process: ManagedProcess): Promise<void> {
  process.signal('SIGTERM');
  const exitCode = await process.ended();
  if (exitCode !== 0) throw new Error(`${process.name} ended with ${exitCode} after SIGTERM`);
  await process.restart();
}

/** Stopped as a machine that hangs, and continued: it does not know that time has passed. */
export async function stopAndContinue(process: ManagedProcess | PostgresServer, ms: number): Promise<void> {
  process.signal('SIGSTOP');
  await delay(ms);
  process.signal('SIGCONT');
}

/** kill -9 of all processes of the server; it recovers from its log when it starts again. */
export async function killNode(server: PostgresServer, awayMs: number): Promise<void> {
  await server.kill();
  await delay(awayMs);
  await server.restart();
}

/** Things that go on at the same time. */
export interface Background {
  /** @returns when this one has ended, also when it has failed */
  start(work: Promise<void>): Promise<void>;
  hasFailed(): boolean;
}

/**
 * Waits for everything that was started meanwhile, also when `act` fails: a run that is given up must not stop its stack while
 * somebody still starts a part of it again.
 *
 * @throws the first failure, of `act` or of what it has started, when all have ended
 */
export async function withBackground(act: (background: Background) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  const running: Promise<void>[] = [];
  const start = (work: Promise<void>) => {
    const ended = work.catch((error: unknown) => void failures.push(error));
    running.push(ended);
    return ended;
  };
  await start(act({ start, hasFailed: () => failures.length > 0 }));
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
