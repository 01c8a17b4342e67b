import type { Fault, FaultContext } from './fault.ts';
import { needsRedis } from './needs.ts';
import { killAndRestart, killNode, stopAndContinue, terminateAndRestart, withBackground } from './process-actions.ts';

/** One thing that can happen to one part. */
interface Mishap {
  name: string;
  /** milliseconds that it is away, where the part does not decide that itself */
  awayMs: { least: number; most: number };
  run: (awayMs: number) => Promise<void>;
}

/** Mishaps begin so long after each other, and may overlap, but never on one part. */
const BETWEEN_MS = { least: 200, most: 2_500 };
/** Each part has one mishap a round. */
const LEAST_ROUNDS = 2;
const SHORT = { least: 100, most: 1_500 };
/** Up to above the lock time. */
const LONG = { least: 500, most: 12_000 };

export const mix: Fault = {
  name: 'mix',
  summary: 'a random mix on all parts, several at once: kill -9, SIGSTOP, SIGTERM; --seed repeats it',
  canRun: needsRedis,
  stack: () => ({ separateServers: true }),
  control: { none: 'the single faults have them' },
  async inflict(context) {
    const { random } = context;
    const parts = partsOf(context);
    const busy = new Map<string, Promise<void>>();
    await withBackground(async (background) => {
      for (let round = 0; round < LEAST_ROUNDS || !context.isEnough(); round += 1) {
        for (const part of random.shuffled([...parts.keys()])) {
          // the draws come first, so that they do not depend on what is busy
          const mishap = random.pick(parts.get(part) ?? []);
          const awayMs = random.between(mishap.awayMs.least, mishap.awayMs.most);
          const pauseMs = random.between(BETWEEN_MS.least, BETWEEN_MS.most);
          await busy.get(part);
          context.mark(`${mishap.name} ${part}`);
          busy.set(part, background.start(mishap.run(awayMs)));
          await context.wait(pauseMs);
        }
        if (background.hasFailed()) break;
      }
    });
  },
};

/** @returns what can happen, by part */
function partsOf({ stack }: FaultContext): Map<string, Mishap[]> {
  const { redis, directoryServer } = stack;
  const parts = new Map<string, Mishap[]>();
  for (const process of [...stack.workers, ...stack.edges]) {
    parts.set(process.name, [
      { name: 'kill -9', awayMs: SHORT, run: (ms) => killAndRestart(process, ms) },
      { name: 'SIGSTOP', awayMs: LONG, run: (ms) => stopAndContinue(process, ms) },
      { name: 'SIGTERM', awayMs: SHORT, run: () => terminateAndRestart(process) },
    ]);
  }
  for (const { name, server } of [...stack.nodes, { name: 'directory', server: directoryServer }]) {
    parts.set(name, [
      { name: 'kill -9', awayMs: SHORT, run: (ms) => killNode(server, ms) },
      { name: 'SIGSTOP', awayMs: LONG, run: (ms) => stopAndContinue(server, ms) },
    ]);
  }
  if (redis) {
    parts.set('redis', [
      { name: 'kill -9', awayMs: SHORT, run: (ms) => killAndRestart(redis.process, ms) },
      { name: 'SIGSTOP', awayMs: SHORT, run: (ms) => stopAndContinue(redis.process, ms) },
    ]);
  }
  return parts;
}
