// The module `k6` as a script sees it.
import { callerAfterInit, currentSession } from '../session.ts';
import { Unsupported } from '../unsupported.ts';

/**
 * Runs named checks on a value and counts each in the metric `checks`.
 *
 * @returns whether all of them held
 */
export function check<T>(
  value: T,
  checkers: Readonly<Record<string, (value: T) => unknown>>,
  tags: Readonly<Record<string, string>> = {},
): boolean {
  const caller = callerAfterInit('check()');
  const { checks } = currentSession().metrics.builtIn;
  let areAllMet = true;
  for (const [name, isMet] of Object.entries(checkers)) {
    const outcome = isMet(value);
    if (outcome instanceof Promise) throw new Unsupported(`a check that returns a promise ("${name}")`);
    checks.add(outcome ? 1 : 0, { ...caller.tags, ...tags, check: name });
    areAllMet &&= Boolean(outcome);
  }
  return areAllMet;
}

/** Ends the iteration. @throws Error always */
export function fail(message = ''): never {
  throw new Error(message);
}
