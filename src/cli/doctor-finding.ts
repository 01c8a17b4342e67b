import { withoutSecrets } from '../platform/logger.ts';
import { failureLines } from './run-command.ts';
import { textTable } from './text-table.ts';

/** What one check found. A warning is for later; a failure is why something does not work, or soon will not. */
export interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** what to do about it */
  fix?: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, status: 'ok', detail });
export const warn = (check: string, detail: string, fix: string): Finding => ({ check, status: 'warn', detail, fix });
export const fail = (check: string, detail: string, fix: string): Finding => ({ check, status: 'fail', detail, fix });

/** @returns what `work` finds; its error is a failed check */
export async function attempt(check: string, fix: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    return [fail(check, failureLines(error).map(withoutSecrets).join('; '), fix)];
  }
}

const GRAVITY = { ok: 0, warn: 1, fail: 2 };
const OF_A_SERVER = /^(clock|connections|disk) of /;

/** @returns the findings without what is told of a server again, which is directory, node and queue at once: the worst stays */
export function onceAServer(findings: readonly Finding[]): Finding[] {
  const worst = new Map<string, Finding>();
  for (const finding of findings) {
    const known = worst.get(finding.check);
    if (!known || GRAVITY[finding.status] > GRAVITY[known.status]) worst.set(finding.check, finding);
  }
  return findings.filter((finding) => !OF_A_SERVER.test(finding.check) || worst.get(finding.check) === finding);
}

/** One line a check, and under each that is not well what to do. */
export function showFindings(findings: readonly Finding[]): string {
  const table = textTable(findings.map(({ status, check, detail }) => [status, check, detail]));
  const lines = table.trimEnd().split('\n');
  return findings
    .flatMap(({ fix }, i) => [lines[i] ?? '', ...(fix === undefined ? [] : [`      → ${fix}`])])
    .map((line) => `${line}\n`)
    .join('');
}
