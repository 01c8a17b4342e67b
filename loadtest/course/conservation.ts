import { z } from 'zod';
import { until } from '../client/until.ts';
import type { System } from './system.ts';

/** The books of the whole system, in scans and jobs. */
const booksSchema = z.object({
  enqueued: z.number(),
  persisted: z.number(),
  duplicate: z.number(),
  dead: z.number(),
  inFlight: z.number(),
  jobsUnfinished: z.number(),
  /** jobs that queue and ledgers tell differently of; null when a lane is too deep to be counted */
  jobsUnaccounted: z.number().nullable(),
});
export type Books = z.infer<typeof booksSchema>;

const status = z.object({ conservation: booksSchema.nullable() });

/** Asks ops. @throws Error when it does not answer, or has no books since the queue or a node is away */
export async function readBooks(system: Pick<System, 'opsUrl' | 'adminKey'>): Promise<Books> {
  const response = await fetch(`${system.opsUrl}/ops/status`, {
    headers: { authorization: `Bearer ${system.adminKey}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`/ops/status: ${response.status} ${await response.text()}`);
  const { conservation } = status.parse(await response.json());
  if (!conservation) throw new Error('/ops/status has no books: the queue or a node is away');
  return conservation;
}

/**
 * Waits until nothing is in flight, and then reads the books: a look asks the ledgers before it asks the queue the second
 * time, so the one that first finds the queue empty may have missed the last rows.
 *
 * @returns the books of a look that began when nothing was in flight; @throws Error when that takes longer
 */
export async function untilDrained(system: Pick<System, 'opsUrl' | 'adminKey'>, timeoutMs: number): Promise<Books> {
  const isDrained = async () => {
    const books = await readBooks(system);
    return books.inFlight === 0 && books.jobsUnfinished === 0 ? books : undefined;
  };
  await until('nothing is in flight', isDrained, { timeoutMs, everyMs: 250 });
  return readBooks(system);
}

/**
 * Holds the books against what the client saw: every post was acked at the first try, so what was enqueued is what was
 * acked, what was persisted are the distinct rides, and the rest were repeats.
 *
 * @returns what does not add up
 */
export function bookProblems(books: Books, seen: { acks: number; rides: number }): string[] {
  const { enqueued, persisted, duplicate, dead, inFlight, jobsUnaccounted } = books;
  const problems: string[] = [];
  const check = (what: string, got: number | null, expected: number) => {
    if (got !== expected) problems.push(`${what}: ${got}, expected ${expected}`);
  };
  check('enqueued − persisted − duplicate − dead − in flight', enqueued - persisted - duplicate - dead - inFlight, 0);
  check('jobs unaccounted for', jobsUnaccounted, 0);
  check('dead', dead, 0);
  check('enqueued', enqueued, seen.acks);
  check('persisted', persisted, seen.rides);
  check('duplicate', duplicate, seen.acks - seen.rides);
  return problems;
}
