import type { Kind } from './setting-kinds.ts';

/**
 * The processes that are configured by the environment; `up` is the all-in-one. `workers` reads what its workers read too:
 * what is wrong is found before the first one starts.
 */
export type ProcessName = 'edge' | 'rides' | 'ops' | 'worker' | 'workers' | 'up';

/** One row of the configuration table. */
export interface Setting<T> extends Kind<T> {
  /** the environment variable */
  name: string;
  /** as it would stand in the environment; undefined: none */
  default: string | undefined;
  /** the processes that do not start without it */
  requiredBy?: readonly ProcessName[];
  /** the variable that takes its place where it is required */
  unless?: string;
  /** of the value, where it is a quantity */
  unit?: string;
  processes: readonly ProcessName[];
  describe: string;
  /** the value must not be shown */
  isSecret?: boolean;
}

export const HTTP = ['edge', 'rides', 'ops', 'up'] as const;
export const SPLIT = ['edge', 'rides', 'ops', 'worker'] as const;
export const ALL = [...SPLIT, 'up'] as const;

/** Puts a row together. */
export const setting = <T>(kind: Kind<T>, rest: Omit<Setting<T>, keyof Kind<T>>): Setting<T> => ({ ...kind, ...rest });
