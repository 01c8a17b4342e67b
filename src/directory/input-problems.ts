import type { ZodError } from 'zod';

/** @returns each problem of an input as one line that begins with its path, e.g. `resorts[2].lifts[0].name: ...` */
export function inputProblems(error: ZodError): string[] {
  return error.issues.map(({ path, message }) => (path.length === 0 ? message : `${pathText(path)}: ${message}`));
}

/** @returns `a[1].b` for `['a', 1, 'b']` */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
