import pino from 'pino';

export type Logger = pino.Logger;

/** Where finished lines go: one JSON object and a newline each. */
export interface LogDestination {
  write(line: string): void;
}

/** Whole fields that never leave, whatever they hold. */
const SECRET_FIELDS = ['authorization', 'cookie', 'password', 'token', 'tokenSecret', 'deviceKey', 'adminKey', 'key'];

/** Secrets inside of texts: messages, stacks, URLs. */
const SECRET_TEXTS: [RegExp, string][] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*:)[^\s@/"\\]+@/gi, '$1***@'],
  [/\bll_dev_[\w-]+/g, 'll_dev_***'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '***'],
  [/\b(Bearer|Basic)\s+[^\s"\\]+/gi, '$1 ***'],
];

/** @returns the text without passwords of URLs, device keys, tokens and credentials of an Authorization header */
export function withoutSecrets(text: string): string {
  return SECRET_TEXTS.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/**
 * A logger that writes JSON lines to standard error (or `destination`) and no secrets: known fields are redacted, and each
 * finished line is searched for what looks like one.
 *
 * @param o.level fatal, error, warn, info, debug, trace or silent
 * @param o.process the process's name, on every line
 */
export function createLogger(o: { level: string; process: string; destination?: LogDestination }): Logger {
  const destination = o.destination ?? pino.destination({ fd: 2, sync: true });
  return pino(
    {
      level: o.level,
      base: { process: o.process, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '***' },
    },
    { write: (line: string) => destination.write(withoutSecrets(line)) },
  );
}
