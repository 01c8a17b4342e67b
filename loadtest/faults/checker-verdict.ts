import type { Books } from '../course/conservation.ts';
import type { Findings } from './checker.ts';
import type { Progress } from './checker-notes.ts';

/** What was seen of one run. */
export interface Seen {
  progress: Progress;
  findings: Findings;
  books: Books;
  /** seconds from the last healing until nothing accepted before was left, or from the load's end to nothing at all: the longer */
  backToZeroS: number;
  /** see `Fault` */
  isSeamless: boolean;
}

/** The backlog must be gone in this time. */
export const BACK_TO_ZERO_S = 30;

/** @returns what is wrong with a run, one sentence each; nothing when it lost nothing and everything adds up */
export function problemsOf(seen: Seen): string[] {
  const { progress, findings, books, backToZeroS } = seen;
  const problems: string[] = [];
  const none = (what: string, count: number | null) => {
    if (count !== 0) problems.push(`${what}: ${count ?? 'not known'}, expected 0`);
  };
  none('lost', findings.lost);
  none('phantom', findings.phantom);
  none('duplicate', findings.duplicate);
  none('misplaced', findings.misplaced);
  none('differences between totals and rows', findings.wrongTotals);
  none('dead letters', findings.dead);
  none('scans refused for good', progress.rejected);
  problems.push(...conservationProblems({ progress, findings, books }));
  if (seen.isSeamless) problems.push(...seamProblems(progress));
  if (backToZeroS > BACK_TO_ZERO_S)
    problems.push(`the backlog was back to 0 after ${backToZeroS.toFixed(1)} s, allowed are ${BACK_TO_ZERO_S}`);
  return problems;
}

/**
 * Whether a run went as it must: nothing wrong; or, as a negative control, scans lost and reported as lost.
 *
 * @param seen undefined when the run did not come to its end
 */
export function isAsItMustBe(seen: Seen | undefined, o: { isControl: boolean }): boolean {
  if (!seen) return false;
  return o.isControl ? seen.findings.lost > 0 : problemsOf(seen).length === 0;
}

/** A machine with too few cores answers so now and then, fault or not. */
const BUSY = /\b(queue_unavailable|overloaded)$/;

function seamProblems({ unconfirmed }: Progress): string[] {
  const seen = Object.entries(unconfirmed).filter(([reason]) => !BUSY.test(reason));
  return seen.map(([reason, scans]) => `devices saw it: ${scans} scans answered ${reason}`);
}

/**
 * The system's own books: that they add up, and that they say what the checker saw. Confirmations may be fewer than what was
 * enqueued (some got lost on their way to the device), never more.
 */
export function conservationProblems({
  progress,
  findings,
  books,
}: Pick<Seen, 'progress' | 'findings' | 'books'>): string[] {
  const { enqueued, persisted, duplicate, dead, inFlight, jobsUnaccounted } = books;
  const problems: string[] = [];
  const same = (what: string, got: number | null, expected: number) => {
    if (got !== expected) problems.push(`${what}: ${got ?? 'not known'}, expected ${expected}`);
  };
  same('enqueued − persisted − duplicate − dead − in flight', enqueued - persisted - duplicate - dead - inFlight, 0);
  same('jobs unaccounted for', jobsUnaccounted, 0);
  same('persisted by the ledgers', persisted, findings.stored);
  same('dead by the ledgers', dead, findings.dead);
  if (enqueued < progress.confirmations)
    problems.push(`enqueued: ${enqueued}, fewer than the ${progress.confirmations} confirmations`);
  return problems;
}
