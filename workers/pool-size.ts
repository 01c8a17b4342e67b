import { type PoolLoad, workersNeeded } from '../src/queue/workers-needed.ts';

export interface PoolLimits {
  /** workers, 1 or more */
  min: number;
  /** workers, min or more */
  max: number;
  /** how long one worker less must have been enough before the pool shrinks by one */
  quietMs: number;
}

/** What the pool looks like at one moment. */
export interface PoolView extends PoolLoad {
  /** on a clock that only goes forward */
  nowMs: number;
  /** workers that the pool has been told to have */
  workers: number;
  /** those of them that work already */
  ready: number;
}

/** What a decision has to remember for the next one. */
export interface PoolMemory {
  /** when the pool was changed last */
  changedAtMs: number;
  /** since when one worker less would have been enough, without interruption */
  calmSinceMs: number | undefined;
}

export interface PoolDecision {
  workers: number;
  memory: PoolMemory;
}

export const NEW_POOL: PoolMemory = { changedAtMs: Number.NEGATIVE_INFINITY, calmSinceMs: undefined };

/** New workers need about so long to show what they do: to grow again before would be to pay twice. */
const GROW_PAUSE_MS = 3_000;
/** While some still start nothing is known of them; a busy host starts them slowly, and even more of them more slowly yet. */
const START_MS = 20_000;
/** The pool shrinks only to a size that this share of would be enough: between growing and shrinking lies a gap. */
const ENOUGH = 0.8;

/**
 * The size that a pool should have. It grows at once by what is needed, when the pool would take longer than the target to
 * store what waits; it shrinks by one at a time, when one worker less had been enough with room to spare for a quiet time.
 * In a burst it goes up, and then down; a steady load moves it not at all.
 */
export function decidePoolSize(limits: PoolLimits, view: PoolView, memory: PoolMemory): PoolDecision {
  const { nowMs, workers } = view;
  const changedTo = (size: number): PoolDecision => ({
    workers: size,
    memory: { changedAtMs: nowMs, calmSinceMs: undefined },
  });
  const inLimits = clamp(workers, limits);
  if (inLimits !== workers) return changedTo(inLimits);

  const needed = workersNeeded(view);
  if (drainS(view) > view.targetS) {
    const enough = clamp(Math.ceil(needed), limits);
    if (enough > workers && !isSettling(view, memory)) return changedTo(enough);
    return { workers, memory: { ...memory, calmSinceMs: undefined } };
  }
  const isCalm = workers > limits.min && needed <= (workers - 1) * ENOUGH;
  if (!isCalm) return { workers, memory: { ...memory, calmSinceMs: undefined } };
  const calmSinceMs = memory.calmSinceMs ?? nowMs;
  if (nowMs - calmSinceMs >= limits.quietMs) return changedTo(workers - 1);
  return { workers, memory: { ...memory, calmSinceMs } };
}

function isSettling({ nowMs, workers, ready }: PoolView, { changedAtMs }: PoolMemory): boolean {
  return nowMs - changedAtMs < (ready < workers ? START_MS : GROW_PAUSE_MS);
}

/** @returns the seconds that the pool needs for what waits, if nothing more came */
export function drainS({
  backlogScans,
  ratePerS,
  workers,
}: Pick<PoolView, 'backlogScans' | 'ratePerS' | 'workers'>): number {
  return backlogScans / (ratePerS * workers);
}

function clamp(size: number, { min, max }: PoolLimits): number {
  return Math.min(max, Math.max(min, size));
}
