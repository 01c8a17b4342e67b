import type { LoadResult } from '../client/closed-loop.ts';
import { type Machine, machineLine } from '../machine.ts';
import { markdownTable } from '../results.ts';
import type { Books } from './conservation.ts';
import type { CourseLoad } from './load.ts';
import type { OutageReads } from './outage-reads.ts';

export interface CourseReport {
  options: object;
  machine: Machine;
  phases: CourseLoad['phases'];
  /** posts answered 201 */
  acks: number;
  /** distinct rides among them */
  rides: number;
  refusals: CourseLoad['refusals'];
  /** seconds from the last ack until nothing was in flight */
  drainedS: number;
  books: Books;
  bookProblems: string[];
  reads: LoadResult;
  /** reads of the check that were answered 503 at first */
  repeatedReads: number;
  differences: string[];
  outage: OutageReads | undefined;
}

/** A read of a node that is away must be answered in this time. */
const AWAY_MS = 2_000;
/** A noisy machine has pauses of its own: what is usual is the baseline of the same run, this many times, and some more. */
const USUAL = { factor: 3, moreMs: 50 };
const SHOWN = 10;

/** @returns what is wrong, one sentence each; nothing when the run is good */
export function problemsOf(report: CourseReport): string[] {
  const { refusals, bookProblems: books, differences, outage } = report;
  return [
    ...refusals.map(({ reason, count }) => `${count} posts without 201: ${reason}`),
    ...books,
    ...differences,
    ...(outage ? outageProblems(outage) : []),
  ];
}

function outageProblems({ others, away }: OutageReads): string[] {
  const { before, during } = others;
  const limitMs = before.p99Ms * USUAL.factor + USUAL.moreMs;
  const problems: string[] = [];
  if (during.reads === 0 || before.reads === 0) problems.push('no reads of the other node’s skiers');
  if (during.failed > 0) problems.push(`${during.failed} reads of the other node’s skiers failed during the outage`);
  if (during.p99Ms > limitMs) {
    problems.push(`the other node’s reads took ${ms(during.p99Ms)} (p99), ${ms(before.p99Ms)} before the outage`);
  }
  if (away.reads === 0) problems.push('no reads of the stopped node’s skiers');
  if (away.otherwise > 0) problems.push(`${away.otherwise} reads of the stopped node’s skiers were not answered 503`);
  if (away.slowestMs > AWAY_MS) problems.push(`a read of the stopped node’s skiers took ${ms(away.slowestMs)}`);
  return problems;
}

export function showCourse(report: CourseReport, problems: readonly string[]): string {
  const { phases, reads, books, outage } = report;
  const speed = (name: string, result: LoadResult) => [
    name,
    String(result.requests),
    Math.round(result.perSecond).toLocaleString('en'),
    ...[result.p50Ms, result.p95Ms, result.p99Ms, result.maxMs].map(ms),
  ];
  const rows = [
    ['load', 'requests', 'a second', 'p50', 'p95', 'p99', 'max'],
    ...phases.map((phase) => speed(`posts, ${phase.connections} connections`, phase)),
    speed('reads of the check, 64 connections', reads),
  ];
  if (outage) {
    for (const [phase, seen] of Object.entries(outage.others)) {
      const row = [`other node’s reads ${phase} the outage`, String(seen.reads), '', ms(seen.p50Ms), ms(seen.p95Ms)];
      rows.push([...row, ms(seen.p99Ms), ms(seen.maxMs)]);
    }
  }
  return [
    markdownTable(rows),
    ...(outage
      ? [
          `stopped node: ${outage.away.answered503} of ${outage.away.reads} reads 503, slowest ${ms(outage.away.slowestMs)}`,
        ]
      : []),
    ...(report.repeatedReads > 0 ? [`${report.repeatedReads} reads of the check were 503 at first`] : []),
    `acked ${report.acks}, of them distinct ${report.rides}; drained in ${report.drainedS.toFixed(1)} s`,
    `enqueued ${books.enqueued} = persisted ${books.persisted} + duplicate ${books.duplicate} + dead ${books.dead} + in flight ${books.inFlight}`,
    `on ${machineLine(report.machine)}`,
    ...problems.slice(0, SHOWN).map((problem) => `WRONG: ${problem}`),
    problems.length === 0 ? 'every post 201 at the first try, every sum exact' : `${problems.length} problems`,
  ].join('\n');
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
