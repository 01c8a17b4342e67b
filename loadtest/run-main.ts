import { Lifecycle } from '../src/platform/lifecycle.ts';
import { createLogger } from '../src/platform/logger.ts';

const STOP_MS = 90_000;

/**
 * Runs a load test to its end and stops what it has started, also on Ctrl-C or after an error, wherever that comes from.
 *
 * @param main returns the exit code; registers the closer of whatever it starts
 */
export async function runMain(main: (lifecycle: Lifecycle) => Promise<number>): Promise<void> {
  const lifecycle = new Lifecycle({ logger: createLogger({ level: 'warn', process: 'loadtest' }) });
  const stop = async (exitCode: number): Promise<void> => {
    if (lifecycle.isStopping) return;
    const isClean = await lifecycle.stop(STOP_MS).then(
      () => true,
      () => false, // logged
    );
    process.exit(isClean ? exitCode : 1);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(130));
  // an error that nobody waited for must not leave a stack behind; while it stops, its connections break
  const onStray = (error: unknown): void => {
    process.stderr.write(`${lifecycle.isStopping ? 'while stopping: ' : ''}${failureText(error)}\n`);
    void stop(1);
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);
  try {
    await stop(await main(lifecycle));
  } catch (error) {
    if (lifecycle.isStopping) return;
    process.stderr.write(`${failureText(error)}\n`);
    await stop(1);
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.stack}\nbecause of ${failureText(error.cause)}` : String(error.stack);
}
