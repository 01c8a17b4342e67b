import { createLogger, type Logger } from '../../src/platform/logger.ts';

/** @returns a logger, and the messages it was given so far, from level debug up */
export function recordedLog(): { logger: Logger; messages: () => string[] } {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    process: 'test',
    destination: { write: (line) => void lines.push(line) },
  });
  return { logger, messages: () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg) };
}
