import { closedLoop, type LoadResult } from '../client/closed-loop.ts';
import type { Fault } from './faults.ts';
import { type CourseRequest, courseRequests, type CourseRide, Expectation } from './rides.ts';

export interface CourseLoadOptions {
  urls: readonly string[];
  requests: number;
  seed: string;
  faults: readonly Fault[];
  /** at most so many posts a second; as fast as the replies come unless given */
  ratePerS?: number;
  onAck?: (ride: CourseRide) => void;
  onProgress: (answered: number) => void;
}

export interface CourseLoad {
  phases: (LoadResult & { connections: number })[];
  expectation: Expectation;
  /** replies other than 201, and requests without one: none may be */
  refusals: { reason: string; count: number }[];
}

/** As the course runs it: 32 connections with 1,000 posts each, then 128 for the rest. */
const FIRST = { connections: 32, requests: 32_000 };
const SECOND = { connections: 128 };
const PROGRESS_MS = 2_000;

/** Posts the course's load; faults run when their share is reached, and have ended when this resolves. */
export async function courseLoad(o: CourseLoadOptions): Promise<CourseLoad> {
  const expectation = new Expectation();
  const reasons = new Map<string, number>();
  const source = courseRequests(o.seed);
  const pending = o.faults.toSorted((a, b) => a.atShare - b.atShare);
  const running: Promise<void>[] = [];
  let answered = 0;

  const step = (): void => {
    answered += 1;
    while (pending[0] && answered >= pending[0].atShare * o.requests) running.push((pending.shift() as Fault).run());
  };
  const refuse = (reason: string): void => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const phase = async (connections: number, requests: number) => {
    const result = await closedLoop<CourseRequest>({
      urls: o.urls,
      connections,
      requests: firstOf(source, requests),
      onReply({ ride }, { status, body }) {
        if (status === 201) {
          expectation.noteAck(ride);
          o.onAck?.(ride);
        } else refuse(`${status} ${body.slice(0, 100)}`);
        step();
      },
      onFailure(_request, error) {
        refuse(error.message);
        step();
      },
      ...(o.ratePerS === undefined ? {} : { ratePerS: o.ratePerS }),
    });
    return { ...result, connections };
  };

  const ticker = setInterval(() => o.onProgress(answered), PROGRESS_MS);
  try {
    const first = Math.min(o.requests, FIRST.requests);
    const phases = [await phase(FIRST.connections, first)];
    if (o.requests > first) phases.push(await phase(SECOND.connections, o.requests - first));
    await Promise.all(running);
    return { phases, expectation, refusals: [...reasons].map(([reason, count]) => ({ reason, count })) };
  } finally {
    clearInterval(ticker);
  }
}

/** Unlike `take`, leaves the source open for the next phase. */
function* firstOf<T>(source: Iterator<T, never>, count: number): Generator<T> {
  for (let taken = 0; taken < count; taken += 1) yield source.next().value;
}
