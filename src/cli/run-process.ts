import { loadConfig, type Config, type ProcessName } from '../platform/config.ts';
import { Lifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { reportFailure } from './run-command.ts';

/** What the composition root of a process works with. */
export interface ProcessContext {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  metrics: Metrics;
}

export interface ProcessOptions {
  name: ProcessName;
  /** returns once everything is up */
  start: (context: ProcessContext) => Promise<void>;
  env: Record<string, string | undefined>;
  /** milliseconds for stopping, `DRAIN_MS` unless given */
  stopMs?: number;
  /** called when stopping is cut short, to end what would outlive this process */
  force?: () => void;
  /** the process that started this one stops it when the connection to it ends; Ctrl-C is that process's business */
  isSupervised?: boolean;
}

/** npm passes Ctrl-C on to a process that the terminal has told already: a second signal counts after this time. */
const SAME_SIGNAL_MS = 1_000;
/** Closers still get this after a drain that used all of its time. */
const CLOSE_MS = 1_000;

/**
 * Runs a process until it is told to stop: wrong configuration, all of it, before anything starts; SIGINT, SIGTERM and
 * SIGHUP stop it in order; a second signal, at once. Exit code 0 after a clean stop, 1 otherwise.
 */
export async function runProcess(o: ProcessOptions): Promise<void> {
  let config: Config;
  try {
    config = loadConfig(o.env, o.name);
  } catch (error) {
    reportFailure(error);
    process.exitCode = 1;
    return;
  }
  const logger = createLogger({ level: config.logLevel, process: o.name });
  const lifecycle = new Lifecycle({ logger });
  const stop = stopOnce(lifecycle, logger, o.stopMs ?? config.drainMs + CLOSE_MS);
  installHandlers(o, logger, stop);
  try {
    await o.start({ config, logger, lifecycle, metrics: createMetrics(o.name) });
  } catch (error) {
    if (lifecycle.isStopping) return;
    logger.debug({ err: error }, 'could not start');
    reportFailure(error);
    await stop('could not start', 1);
  }
}

type Stop = (reason: string, exitCode: number) => Promise<void>;

function stopOnce(lifecycle: Lifecycle, logger: Logger, deadlineMs: number): Stop {
  return async (reason, exitCode) => {
    if (lifecycle.isStopping) return;
    if (exitCode === 0) logger.info({ reason }, 'stopping'); // otherwise the reason was told
    let code = exitCode;
    await lifecycle.stop(deadlineMs).catch((error: unknown) => {
      logger.error({ err: error }, 'did not stop cleanly');
      code = 1;
    });
    process.exit(code);
  };
}

function installHandlers(o: ProcessOptions, logger: Logger, stop: Stop): void {
  let firstSignalAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstSignalAt === undefined) {
      firstSignalAt = performance.now();
      void stop(signal, 0);
    } else if (performance.now() - firstSignalAt > SAME_SIGNAL_MS) {
      logger.warn({ signal }, 'stopping at once');
      o.force?.();
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (o.isSupervised && signal !== 'SIGTERM') process.on(signal, () => {});
    else process.on(signal, onSignal);
  }
  if (o.isSupervised) {
    const onGone = () => void stop('the process that started this one has gone', 0);
    process.once('disconnect', onGone);
    if (!process.connected) onGone(); // before this one could listen
  }
  const onCrash = (error: unknown) => {
    logger.fatal({ err: error }, 'an error that nobody expected');
    void stop('an unexpected error', 1);
  };
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);
}
