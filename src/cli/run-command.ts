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

/** @returns why something failed, for a person: mostly one line, and one a problem for wrong configuration; may hold secrets */
export function failureLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [oneLine(String(error))];
  return listsProblems(error) ? error.problems : [oneLine(messageOf(error))];
}

/** Wrong configuration and wrong files tell everything at once, a line each. */
function listsProblems(error: Error): error is Error & { problems: string[] } {
  return 'problems' in error && Array.isArray(error.problems) && error.problems.length > 0;
}

/** With the reason behind it: a directory that can't be reached, say, and the connection that was refused. */
function messageOf(error: Error): string {
  const reason = error.cause instanceof Error ? messageOf(error.cause) : '';
  // of a connection that failed on each address of a host, the first stands for all
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const message = error.message || (first instanceof Error ? first.message : error.name);
  return reason === '' || message.includes(reason) ? message : `${message}: ${reason}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ');
}
