import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from '../../client/until.ts';

/** The wall clock of one Node process, which may be set while it runs. */
export interface ProcessClock {
  /** for the environment that the process starts with */
  env: Record<string, string>;
  /**
   * Resolves when the process runs on the new time.
   *
   * @param running the process; the signal is meant for Node itself
   * @param shiftMs beside the true time, not beside what was set before
   */
  set(running: { signal(signal: NodeJS.Signals): void }, shiftMs: number): Promise<void>;
}

const PRELOAD = pathToFileURL(path.join(import.meta.dirname, 'shift-clock.ts')).href;
const SET_MS = 10_000;

/** @param folder of the file by which the process is told; @param name of the process */
export function processClock(folder: string, name: string): ProcessClock {
  const file = path.join(folder, `${name}.clock`);
  return {
    env: { NODE_OPTIONS: `--import ${PRELOAD}`, SHIFT_CLOCK_FILE: file },
    async set(running, shiftMs) {
      await writeFile(file, String(shiftMs));
      running.signal('SIGUSR2');
      await until(`${name} has set its clock`, () => isGone(file), { timeoutMs: SET_MS, everyMs: 10 });
    },
  };
}

async function isGone(file: string): Promise<true | undefined> {
  return access(file).then(
    () => undefined,
    () => true as const,
  );
}
