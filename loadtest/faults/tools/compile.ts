import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram, requireProgram } from '../../stack/programs.ts';

/** @returns true when the small C programs beside this file can be built here, or what is missing */
export function canCompile(): true | string {
  return findProgram('cc') !== undefined || 'there is no C compiler, cc (Debian: apt install gcc libc6-dev)';
}

/**
 * Builds one of the C files beside this file.
 *
 * @param o.into a folder for the result, which other users must be able to read when they are to run it
 * @returns the path of the result; @throws Error with what the compiler said
 */
export async function compile(o: {
  source: 'slow-fsync' | 'cut-power' | 'shift-time';
  kind: 'program' | 'library';
  into: string;
}): Promise<string> {
  const result = path.join(o.into, o.kind === 'library' ? `${o.source}.so` : o.source);
  const flags = o.kind === 'library' ? ['-shared', '-fPIC'] : [];
  const source = path.join(import.meta.dirname, `${o.source}.c`);
  await promisify(execFile)(requireProgram('cc', 'gcc'), [
    '-O1',
    '-Wall',
    '-Werror',
    ...flags,
    '-o',
    result,
    source,
    ...(o.kind === 'library' ? ['-ldl'] : []),
  ]);
  return result;
}
