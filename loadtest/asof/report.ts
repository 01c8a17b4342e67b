import { markdownTable } from '../results.ts';
import type { Lie } from './acks.ts';
import type { AsOfReport } from './run.ts';

/** Fewer, for each second, would prove little. */
const LEAST_ANSWERS_PER_S = 12;
const LEAST_ACKED_PER_S = 25;
const EXAMPLES = 5;
const NAMES: Record<string, string> = {
  'rides-0': 'rides, no cache',
  'rides-1': 'rides, cache',
  'rides-0 at the end': 'no cache, at the end',
  'rides-1 at the end': 'cache, at the end',
  replica: 'a replica that lags',
};

/** @returns what is wrong with a run, one sentence each; a negative control has to have told lies */
export function asOfProblems(report: AsOfReport): string[] {
  const lies = liesOf(report).length;
  // it ends as soon as it is caught
  if (report.isControl) return lies > 0 ? [] : ['the negative control told no lie that was caught'];
  const problems: string[] = [];
  const answers = report.reports.reduce((sum, one) => sum + one.answers - one.untold, 0);
  if (answers < LEAST_ANSWERS_PER_S * report.seconds) problems.push(`only ${answers} answers could be judged`);
  if (report.acked < LEAST_ACKED_PER_S * report.seconds) problems.push(`only ${report.acked} scans were acked`);
  if (lies > 0) problems.push(`${lies} times an answer said what was not so`);
  return problems;
}

function liesOf({ reports }: AsOfReport): Lie[] {
  return reports.flatMap((report) => report.lies);
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
      one.answers === 0 ? '' : `${one.medianAgeMs} (${one.largestAgeMs})`,
      String(one.lies.length),
    ]),
  );
  const trouble = runs.map((run) => {
    const counts = Object.entries(run.trouble).map(([name, count]) => `${count} × ${name}`);
    return `${run.isControl ? 'control' : 'real'}: ${counts.join(', ')}; ${run.parts} parts of jobs went back`;
  });
  const examples = runs.flatMap((run) => liesOf(run).slice(0, EXAMPLES));
  return [markdownTable([head, ...rows]), ...trouble, ...examples.map(({ kind, text }) => `${kind}: ${text}`)].join(
    '\n',
  );
}
