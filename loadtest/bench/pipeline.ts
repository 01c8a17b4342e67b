import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import type { System } from '../course/system.ts';
import { type Stack, startStack, type StackOptions } from '../stack.ts';

/** One edge, one worker, Redis that syncs every write. */
export interface Pipeline {
  stack: Stack;
  /** where the books are read */
  books: Pick<System, 'opsUrl' | 'adminKey'>;
}

export async function startPipeline(
  lifecycle: Lifecycle,
  o: Pick<StackOptions, 'rides' | 'env' | 'envOf'>,
): Promise<Pipeline> {
  const stack = await startStack({ queue: 'redis', edges: 1, workers: 1, rides: 0, ...o }, lifecycle);
  return { stack, books: { opsUrl: stack.ops.url, adminKey: stack.adminKey } };
}
