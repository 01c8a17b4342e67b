import { AsyncLocalStorage } from 'node:async_hooks';
import type { MetricRegistry, Tags } from './metric-registry.ts';
import { Unsupported } from './unsupported.ts';

/** Where a script is in its life; k6 allows different things in each. */
export type Phase = 'init' | 'setup' | 'iteration' | 'teardown';

/** One script's run: what the k6 modules that it imports act upon. */
export interface Session {
  metrics: MetricRegistry;
}

/** Who is calling, when a k6 function is called: travels along with promises and timers. */
export interface Caller {
  phase: Phase;
  /** on every sample */
  tags: Tags;
  /** in an iteration only */
  iteration?: IterationInfo;
}

export interface IterationInfo {
  scenario: string;
  executor: string;
  /** when its scenario started, milliseconds since the epoch */
  startTime: number;
  /** how long its scenario has left to start iterations in, in all, milliseconds */
  durationMs: number;
  /** from 0, over all users of the scenario */
  iterationInTest: number;
  /** from 1 */
  user: number;
}

const callers = new AsyncLocalStorage<Caller>();
const INIT: Caller = { phase: 'init', tags: {} };
let session: Session | undefined;

/** A process runs one script, as a k6 process does: its modules exist once. @throws Error for a second one */
export function openSession(opened: Session): void {
  if (session) throw new Error('this process has already run a script');
  session = opened;
}

/** @throws Error when a k6 module is used outside of a run */
export function currentSession(): Session {
  if (!session) throw new Error('the k6 modules work in a script that the stand-in runs');
  return session;
}

/** Calls part of a script as its caller; whatever it awaits runs as the same. */
export function runAs<T>(caller: Caller, call: () => T): T {
  return callers.run(caller, call);
}

export function currentCaller(): Caller {
  return callers.getStore() ?? INIT;
}

/** @throws Unsupported during init, when k6 has no users yet */
export function callerAfterInit(what: string): Caller {
  const caller = currentCaller();
  if (caller.phase === 'init') throw new Unsupported(`${what} while the script is being loaded`);
  return caller;
}
