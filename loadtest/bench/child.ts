import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs a script with options as its one argument, to its end.
 *
 * @returns the JSON that it printed; @throws Error with its standard error
 */
export async function runChild(script: string, options: object, env: Record<string, string> = {}): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(options)], {
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1_024 * 1_024,
  });
  return JSON.parse(stdout);
}
