import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/cli/free-port.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { type ManagedProcess, startProcess } from './managed-process.ts';

export const PROJECT = path.resolve(import.meta.dirname, '../..');
/** What users run: it gives Node its flags, and becomes it. */
const LIFTLINE = path.join(PROJECT, 'src/cli/liftline');

/**
 * Runs a `liftline` command to its end.
 *
 * @returns what it wrote to standard output; @throws Error with what it wrote to standard error
 */
export async function runLiftline(args: readonly string[], env: Record<string, string>): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(LIFTLINE, args, {
      cwd: PROJECT,
      env: withPath(env),
    });
    return stdout;
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`liftline ${args[0]} failed: ${stderr}`, { cause: error });
  }
}

/** Starts one process of Liftline on a free port, its log in `<folder>/<name>.log`; resolves when it is ready. */
export async function liftlineProcess(o: {
  kind: 'edge' | 'rides' | 'ops' | 'worker' | 'workers' | 'up';
  args?: readonly string[];
  name: string;
  folder: string;
  env: Record<string, string>;
  /** see {@link startProcess} */
  owner?: Lifecycle;
}): Promise<ManagedProcess> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const plan = {
    name: o.name,
    command: LIFTLINE,
    args: [o.kind, ...(o.args ?? [])],
    cwd: PROJECT,
    env: withPath({ ...o.env, PORT: new URL(url).port }),
    url,
    logFile: path.join(o.folder, `${o.name}.log`),
    ready: () => askReady(url),
  };
  return startProcess(plan, o.owner);
}

async function askReady(url: string): Promise<void> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
  const body = await response.text();
  if (!response.ok) throw new Error(`not ready: ${body}`);
}

/** Nothing of our own environment but what programs need to be found. */
function withPath(env: Record<string, string>): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env };
}
