import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { until } from './until.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIFTLINE = path.join(ROOT, 'src/cli/liftline');

export interface Run {
  child: ChildProcess;
  /** what it has printed so far, both streams */
  output(): string;
  /** waits for its end; @returns the exit code, or null when a signal ended it */
  exit(timeoutMs?: number): Promise<number | null>;
}

/** Starts `liftline` as a user would, as a process of its own. */
export function runLiftline(args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(LIFTLINE, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const closed = once(child, 'close');
  return {
    child,
    output: () => output,
    async exit(timeoutMs = 20_000) {
      await until(
        `liftline ${args.join(' ')} ends`,
        () => child.exitCode !== null || child.signalCode !== null,
        timeoutMs,
      );
      await closed;
      return child.exitCode;
    },
  };
}

/** @returns the pids of every process whose command line or environment names the marker, e.g. a test's home folder */
export function processesNaming(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) =>
        pid !== process.pid && (procText(pid, 'cmdline').includes(marker) || procText(pid, 'environ').includes(marker)),
    );
}

function procText(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it ended in between
  }
}
