import type { z } from 'zod';
import { type ProcessName, SETTINGS, type Setting, type SettingName } from './settings.ts';

export { type ProcessName, SETTINGS } from './settings.ts';

/** Settings that don't work; the message is for an operator, each problem is one sentence. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * Every setting, parsed. One that is not set and has no default is the empty text; variables of other processes count as
 * not set.
 */
export type Config = { readonly [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']> };

type Environment = Record<string, string | undefined>;

/**
 * Reads the settings of one process. A variable that is set to nothing counts as not set; variables of other processes are
 * not looked at.
 *
 * @throws ConfigError with everything that is wrong, not only the first
 */
export function loadConfig(env: Environment, process: ProcessName): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(SETTINGS)) {
    config[field] = readSetting(setting, concerns(setting.processes, process) ? env : {}, process, problems);
  }
  if (problems.length === 0) problems.push(...contradictions(config as Config, process));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Config;
}

/** The pool's supervisor reads what its workers read. */
function concerns(processes: readonly ProcessName[], process: ProcessName): boolean {
  return processes.includes(process) || (process === 'workers' && processes.includes('worker'));
}

function readSetting(setting: Setting<unknown>, env: Environment, process: ProcessName, problems: string[]): unknown {
  const given = env[setting.name] || undefined;
  const value = given ?? setting.default;
  if (value === undefined) {
    const isMissed = setting.requiredBy && concerns(setting.requiredBy, process);
    if (isMissed && !(setting.unless && env[setting.unless])) {
      problems.push(`${setting.name} must be set: ${setting.expects}${setting.unless ? `, or ${setting.unless}` : ''}`);
    }
    return '';
  }
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const shown = setting.isSecret ? '' : `, and is ${JSON.stringify(value)}`;
  problems.push(`${setting.name} must be ${setting.expects}${shown}`);
  return undefined;
}

/** A worker whose node is away tries again so much later at the most: silence 1 s, back-off 3 s. */
const BETWEEN_TRIES_MS = 4_000;

function contradictions(config: Config, process: ProcessName): string[] {
  const found: string[] = [];
  if (config.leaveMs >= config.drainMs && SETTINGS.leaveMs.processes.some((p) => p === process)) {
    found.push(`LEAVE_MS (${config.leaveMs}) must be less than DRAIN_MS (${config.drainMs})`);
  }
  if (config.stallCheckMs >= config.lockMs) {
    found.push(`STALL_CHECK_MS (${config.stallCheckMs}) must be less than LOCK_MS (${config.lockMs})`);
  }
  if (config.stuckMs < config.statementTimeoutMs + BETWEEN_TRIES_MS) {
    const leastMs = config.statementTimeoutMs + BETWEEN_TRIES_MS;
    found.push(
      `STUCK_MS (${config.stuckMs}) must be ${leastMs} or more, STATEMENT_TIMEOUT_MS and the time to the next try`,
    );
  }
  if (config.queueReplicas > 0 && config.queueUrl.startsWith('postgres')) {
    found.push(
      `QUEUE_REPLICAS (${config.queueReplicas}) must be 0 for a queue on Postgres: set synchronous_standby_names there instead`,
    );
  }
  return [...found, ...tokenContradictions(config)];
}

function tokenContradictions({ tokenJwksUrl, tokenIssuer, tokenAudiences }: Config): string[] {
  const parts = { TOKEN_ISSUER: tokenIssuer !== '', TOKEN_AUDIENCE: tokenAudiences.length > 0 };
  return Object.entries(parts)
    .filter(([, isSet]) => isSet !== (tokenJwksUrl !== ''))
    .map(([name, isSet]) =>
      isSet ? `${name} needs TOKEN_JWKS_URL, which is not set` : `TOKEN_JWKS_URL needs ${name}, which is not set`,
    );
}

/** @returns scans a second that one worker is taken to store: what is set for it, and no more than its brake lets through */
export function assumedWorkerRate(config: Pick<Config, 'workerRatePerS' | 'workerScansPerS'>): number {
  return Math.min(config.workerRatePerS, config.workerScansPerS || Number.POSITIVE_INFINITY);
}

/** @returns the configuration table of the README: a Markdown table, one setting a row, without a newline at its end */
export function renderSettingsTable(): string {
  const rows = Object.values(SETTINGS).map((setting: Setting<unknown>) => {
    const processes = setting.processes.length === 5 ? 'all' : setting.processes.join(', ');
    return `| \`${setting.name}\` | ${shownDefault(setting)} | ${processes} | ${setting.describe} |`;
  });
  return ['| Setting | Default | Processes | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function shownDefault(setting: Setting<unknown>): string {
  if (setting.default) return setting.unit ? `\`${setting.default}\` ${setting.unit}` : `\`${setting.default}\``;
  if (!setting.requiredBy) return 'none';
  return `required by ${setting.requiredBy.join(', ')}${setting.unless ? `, unless \`${setting.unless}\` is set` : ''}`;
}
