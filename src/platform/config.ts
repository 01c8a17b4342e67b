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
    config[field] = readSetting(setting, setting.processes.some((p) => p === process) ? env : {}, process, problems);
  }
  if (problems.length === 0) problems.push(...contradictions(config as Config));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Config;
}

function readSetting(setting: Setting<unknown>, env: Environment, process: ProcessName, problems: string[]): unknown {
  const given = env[setting.name] || undefined;
  const value = given ?? setting.default;
  if (value === undefined) {
    if (setting.requiredBy?.includes(process)) problems.push(`${setting.name} must be set: ${setting.expects}`);
    return '';
  }
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const shown = setting.isSecret ? '' : `, and is ${JSON.stringify(value)}`;
  problems.push(`${setting.name} must be ${setting.expects}${shown}`);
  return undefined;
}

function contradictions(config: Config): string[] {
  const found: string[] = [];
  if (config.stallCheckMs >= config.lockMs) {
    found.push(`STALL_CHECK_MS (${config.stallCheckMs}) must be less than LOCK_MS (${config.lockMs})`);
  }
  return found;
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
  return setting.requiredBy ? `required by ${setting.requiredBy.join(', ')}` : 'none';
}
