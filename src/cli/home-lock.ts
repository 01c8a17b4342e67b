import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CommandError } from './run-command.ts';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

const ATTEMPTS = 5;

/**
 * Makes this process the only one in a home. The lock is a file that names its holder; a holder that was killed has left
 * it behind, and a new process may have its pid by now, hence the start time.
 *
 * @returns the function that gives the lock back
 * @throws CommandError when another process holds it
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  const file = path.join(home, 'lock');
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (await claim(draft, file)) return () => rm(file, { force: true });
      await removeStale(file, home);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new CommandError(`another liftline is starting in ${home}`);
}

/** A hard link appears with its content or not at all, and never replaces another. */
async function claim(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(file: string, home: string): Promise<void> {
  const found = await readFile(file, 'utf8').catch(() => undefined);
  if (found === undefined) return;
  const holder = parse(found);
  if (holder && isRunning(holder)) {
    throw new CommandError(`liftline already runs in ${home}, as process ${holder.pid}: stop it, or set LIFTLINE_HOME`);
  }
  const aside = `${file}.stale.${process.pid}`;
  await rename(file, aside).catch(() => {}); // another starter was faster
  const moved = await readFile(aside, 'utf8').catch(() => found);
  if (moved !== found) await link(aside, file).catch(() => {}); // it was the faster one's own: put it back
  await rm(aside, { force: true });
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProcessIdentity> | null;
    if (typeof value?.pid !== 'number' || typeof value.startedAt !== 'string') return undefined;
    return { pid: value.pid, startedAt: value.startedAt };
  } catch {
    return undefined;
  }
}
