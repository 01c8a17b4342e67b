import { ResortFileError } from '../directory/resort-file.ts';
import { ConfigError } from '../platform/config.ts';
import { Lifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger, withoutSecrets } from '../platform/logger.ts';

/** What a command works with. */
export interface CommandContext {
  lifecycle: Lifecycle;
  logger: Logger;
}

/** A command that can't do what was asked, for a reason that one line tells. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const CLOSE_MS = 5_000;

/**
 * Runs a command that does one thing and ends: what it opened is closed, a failure is one line on standard error (or one
 * a problem, for wrong configuration) and exit code 1.
 */
export async function runCommand(run: (context: CommandContext) => Promise<void>): Promise<void> {
  const logger = createLogger({ level: 'warn', process: 'command' });
  const lifecycle = new Lifecycle({ logger });
  try {
    await run({ lifecycle, logger });
  } catch (error) {
    reportFailure(error);
    process.exitCode = 1;
  }
  await lifecycle.stop(CLOSE_MS).catch(() => {}); // logged; what the command did or said stands
}

/** Writes why something failed to standard error, for a person: no stack, no secrets. */
export function reportFailure(error: unknown): void {
  for (const line of failureLines(error)) process.stderr.write(`liftline: ${withoutSecrets(line)}\n`);
}

function failureLines(error: unknown): string[] {
  if (error instanceof ConfigError || error instanceof ResortFileError) return error.problems;
  return [oneLine(error instanceof Error ? messageOf(error) : String(error))];
}

/** Of a connection that failed on each address of a host, the first reason stands for all. */
function messageOf(error: Error): string {
  if (error.message) return error.message;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.name;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ');
}
