import { z } from 'zod';
import { until } from '../client/until.ts';
import type { System } from './system.ts';

/** The books of the whole system, all lanes together. */
export interface Books {
  enqueued: number;
  persisted: number;
  duplicate: number;
  dead: number;
  inFlight: number;
  /** jobs that queue and ledgers tell differently of */
  jobsUnaccounted: number;
}

const count = z.number();
const status = z.object({
  lanes: z.array(
    z.object({
      enqueued: count,
      persisted: count,
      duplicate: count,
      dead: count,
      inFlight: count,
      jobsUnaccounted: count.nullable(),
    }),
  ),
});

/** Asks ops. @throws Error when it does not answer with the books */
export async function readBooks(system: Pick<System, 'opsUrl' | 'adminKey'>): Promise<Books> {
  const response = await fetch(`${system.opsUrl}/ops/status`, {
    headers: { authorization: `Bearer ${system.adminKey}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`/ops/status: ${response.status} ${await response.text()}`);
  const { lanes } = status.parse(await response.json());
  const sum = (of: keyof Books) => lanes.reduce((total, lane) => total + (lane[of] ?? Number.NaN), 0);
  return {
    enqueued: sum('enqueued'),
    persisted: sum('persisted'),
    duplicate: sum('duplicate'),
    dead: sum('dead'),
    inFlight: sum('inFlight'),
    jobsUnaccounted: sum('jobsUnaccounted'),
  };
}

/** Waits until nothing is in flight. @returns the books then; @throws Error when it takes longer */
export function untilDrained(system: Pick<System, 'opsUrl' | 'adminKey'>, timeoutMs: number): Promise<Books> {
  const ask = async () => {
    const books = await readBooks(system);
    return books.inFlight === 0 ? books : undefined;
  };
  return until('nothing is in flight', ask, { timeoutMs, everyMs: 250 });
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
  const check = (what: string, got: number, expected: number) => {
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
