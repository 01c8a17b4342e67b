import { CommanderError, type Command } from 'commander';
import { vi } from 'vitest';

export interface CommandRun {
  code: number;
  /** both streams, in order */
  output: string;
}

/**
 * Runs a command in this process: as `liftline` does, without the second that a process takes to start. One at a time, since
 * the environment and the streams are the process's.
 *
 * @param args what follows the command's name
 */
export async function runHere(command: Command, args: string[], env: Record<string, string>): Promise<CommandRun> {
  let output = '';
  const collect = (chunk: string | Uint8Array) => {
    output += String(chunk);
    return true;
  };
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(collect),
  );
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const exitCode = process.exitCode;
  process.exitCode = 0;
  try {
    await throwing(command).parseAsync(args, { from: 'user' });
    return { code: process.exitCode, output };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { code: error.exitCode, output };
  } finally {
    process.exitCode = exitCode;
    for (const stream of streams) stream.mockRestore();
    vi.unstubAllEnvs();
  }
}

/** Commander ends the process on wrong usage, unless told otherwise. */
function throwing(command: Command): Command {
  for (const sub of command.commands) throwing(sub);
  return command.exitOverride();
}
