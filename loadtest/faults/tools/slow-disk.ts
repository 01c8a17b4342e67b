import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compile } from './compile.ts';

/** A disk that one program finds slow, for as long as it is told to. */
export interface SlowDisk {
  /** for the program's environment */
  env: Record<string, string>;
  /** From now on each fsync and fdatasync of the program waits so many milliseconds first. */
  slowDown(waitMs: number): Promise<void>;
  recover(): Promise<void>;
}

/** @param folder for the library and its state; it outlives the program. @throws Error without a C compiler */
export async function createSlowDisk(folder: string): Promise<SlowDisk> {
  const library = await compile({ source: 'slow-fsync', kind: 'library', into: folder });
  const stateFile = path.join(folder, 'slow-fsync-ms');
  return {
    env: { LD_PRELOAD: library, SLOW_FSYNC_FILE: stateFile },
    slowDown: (waitMs) => writeFile(stateFile, String(waitMs)),
    recover: () => rm(stateFile, { force: true }),
  };
}
