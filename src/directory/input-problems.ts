import type { ZodError } from 'zod';

/**
 * @param at where in the whole input the checked part stands
 * @returns each problem of an input as one line that begins with its path, e.g. `resorts[2].lifts[0].name: ...`
 */
export function inputProblems(error: ZodError, at: (string | number)[] = []): string[] {
  return error.issues.map(({ path, message }) => {
    const whole = [...at, ...path];
    return whole.length === 0 ? message : `${pathText(whole)}: ${message}`;
  });
}

/** @returns `a[1].b` for `['a', 1, 'b']` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
