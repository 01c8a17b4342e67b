import { markdownTable } from '../results.ts';
import type { AsOfReport } from './run.ts';

/** Fewer would prove little. */
const LEAST_ANSWERS = 500;
const LEAST_ACKED = 1_000;
const EXAMPLES = 5;
const NAMES: Record<string, string> = {
  'rides-0': 'rides, no cache',
  'rides-1': 'rides, cache',
  replica: 'a replica that lags',
};

/** @returns what is wrong with a run, one sentence each; a negative control has to have told lies */
export function asOfProblems(report: AsOfReport): string[] {
  const problems: string[] = [];
  const answers = report.reports.reduce((sum, one) => sum + one.answers - one.untold, 0);
  if (answers < LEAST_ANSWERS) problems.push(`only ${answers} answers could be judged`);
  if (report.acked < LEAST_ACKED) problems.push(`only ${report.acked} scans were acked`);
  const lies = report.lies.length;
  if (report.isControl && lies === 0) problems.push('the negative control told no lie that was caught');
  if (!report.isControl && lies > 0) problems.push(`${lies} answers said what was not so`);
  return problems;
}

export function showAsOf(runs: readonly AsOfReport[]): string {
  const head = ['queue', 'keeper', 'acked', 'source', 'answers', 'stale', '503', 'asOf behind, ms (most)', 'lies'];
  const rows = runs.flatMap((run) =>
    run.reports.map((one) => [
      run.queue,
      run.isControl ? 'naive, the control' : 'real',
      run.acked.toLocaleString('en'),
      NAMES[one.source] ?? one.source,
      one.answers.toLocaleString('en'),
      String(one.stale),
      String(one.refused),
      `${one.medianAgeMs} (${one.largestAgeMs})`,
      String(run.lies.filter(({ text }) => text.includes(` at ${one.source}`)).length),
    ]),
  );
  const examples = runs.flatMap((run) => run.lies.slice(0, EXAMPLES).map(({ kind, text }) => `${kind}: ${text}`));
  const trouble = runs.map(
    (run) =>
      `${run.isControl ? 'control' : 'real'}: ${Object.entries(run.trouble)
        .map(([name, count]) => `${count} × ${name}`)
        .join(', ')}`,
  );
  return [markdownTable([head, ...rows]), ...trouble, ...examples].join('\n');
}
