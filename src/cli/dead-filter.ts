import { type Command, InvalidArgumentError } from 'commander';
import type { DeadLetterFilter } from '../shards/dead-letters.ts';
import { wholeNumber } from './arguments.ts';

/** What commander makes of the options of {@link withFilter}. */
export type FilterFlags = DeadLetterFilter;

/** Adds the options that choose among dead letters. */
export function withFilter(command: Command): Command {
  return command
    .option('--lane <n>', 'only of this lane', wholeNumber(0, 1023))
    .option('--shard <n>', 'only of this shard', wholeNumber(0, 1023))
    .option('--code <code>', 'only with this code, e.g. 23514 or unreadable')
    .option('--since <time>', 'only those that died then or later: 2026-01-31T08:00:00Z, or 2h, 30m, 7d ago', moment)
    .option('--before <time>', 'only those that died earlier', moment);
}

/** @returns what was chosen, without the other options of the command */
export function filterOf({ lane, shard, code, since, before }: FilterFlags): DeadLetterFilter {
  return {
    ...(lane !== undefined && { lane }),
    ...(shard !== undefined && { shard }),
    ...(code !== undefined && { code }),
    ...(since !== undefined && { since }),
    ...(before !== undefined && { before }),
  };
}

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;

/** @returns milliseconds since the epoch, from a time with its offset or from how long ago it was */
function moment(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return Date.now() - Number(amount) * (UNIT_MS[unit] ?? 0);
  const at = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be like 2026-01-31T08:00:00Z, or like 2h, 30m, 7d.');
  return at;
}
