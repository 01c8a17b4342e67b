import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compile } from './compile.ts';

/** The wall clock of one program that is no Node process, which may be set while it runs. */
export interface ServerDate {
  /** for the environment that the program starts with */
  env: Record<string, string>;
  /** @param shiftMs beside the true time, not beside what was set before */
  set(shiftMs: number): Promise<void>;
}

const NS_PER_MS = 1_000_000n;

/** @param folder for the library and its state; it outlives the program. @throws Error without a C compiler */
export async function createServerDate(folder: string): Promise<ServerDate> {
  const library = await compile({ source: 'shift-time', kind: 'library', into: folder });
  const stateFile = path.join(folder, 'shift-time-ns');
  await writeFile(stateFile, Buffer.alloc(8));
  return {
    env: { LD_PRELOAD: library, SHIFT_TIME_FILE: stateFile },
    async set(shiftMs) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(shiftMs) * NS_PER_MS);
      // in place: the program has the file mapped
      const file = await open(stateFile, 'r+');
      await file.write(bytes, 0, bytes.length, 0);
      await file.close();
    },
  };
}
