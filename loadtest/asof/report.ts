import { markdownTable } from '../results.ts';
import type { Lie } from './acks.ts';
import type { AsOfReport } from './run.ts';

interface Source {
  title: string;
  /** fewer judged answers than that, for each second of the run, would prove little */
  leastPerS: number;
}

/**
 * Whose answers a run has to judge. A run on two busy cores has ten times as many from rides and from the replica. At the end
 * each subject is asked for once: about 300, and in a long run 3.3 a second.
 */
const SOURCES: Record<string, Source> = {
  'rides-0': { title: 'rides, no cache', leastPerS: 12 },
  'rides-1': { title: 'rides, cache', leastPerS: 12 },
  replica: { title: 'a replica that lags', leastPerS: 2 },
  'rides-0 at the end': { title: 'no cache, at the end', leastPerS: 3 },
  'rides-1 at the end': { title: 'cache, at the end', leastPerS: 3 },
};
const LEAST_ACKED_PER_S = 25;
const EXAMPLES = 5;

/** @returns what is wrong with a run, one sentence each; a negative control has to have told lies */
export function asOfProblems(report: AsOfReport): string[] {
  const lies = liesOf(report).length;
  // it ends as soon as it is caught
  if (report.isControl) return lies > 0 ? [] : ['the negative control told no lie that was caught'];
  const problems = [...tooFewAnswers(report), ...strangeAnswers(report)];
  if (report.acked < LEAST_ACKED_PER_S * report.seconds) problems.push(`only ${report.acked} scans were acked`);
  if (lies > 0) problems.push(`${lies} times an answer said what was not so`);
  return problems;
}

/** A source that nobody has judged would pass in the sum of all. */
function tooFewAnswers({ reports, seconds }: AsOfReport): string[] {
  return Object.entries(SOURCES).flatMap(([source, { title, leastPerS }]) => {
    const report = reports.find((one) => one.source === source);
    const judged = report ? report.answers - report.untold : 0;
    return judged < leastPerS * seconds ? [`${title}: only ${judged} answers could be judged`] : [];
  });
}

function strangeAnswers({ reports }: AsOfReport): string[] {
  return reports.flatMap(({ source, others }) =>
    Object.entries(others).map(([status, count]) => `${titleOf(source)}: ${count} times ${status}`),
  );
}

function titleOf(source: string): string {
  return SOURCES[source]?.title ?? source;
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
      titleOf(one.source),
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
