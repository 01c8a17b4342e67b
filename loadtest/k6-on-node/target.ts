import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { startAllInOne } from '../all-in-one.ts';
import { startStack } from '../stack.ts';
import { requireLoopback } from './loopback.ts';
import { findProgram } from '../stack/programs.ts';

/** What a run loads, and what its script has to know of it. */
export interface Target {
  /** for the report */
  name: string;
  /** BASE_URL, READ_URL, DEVICE_KEY, ADMIN_KEY */
  env: Record<string, string>;
}

/** `split`: edge, rides, ops and a worker as processes of their own, on Redis where it is installed. `all-in-one`: as `npm start`. */
export type StackKind = 'split' | 'all-in-one';

/**
 * @param lifecycle stops it, also while it starts
 * @throws Error when something of it does not start; nothing is left behind then
 */
export async function startTarget(kind: StackKind, lifecycle: Lifecycle): Promise<Target> {
  return kind === 'split' ? startSplit(lifecycle) : startTogether(lifecycle);
}

async function startSplit(lifecycle: Lifecycle): Promise<Target> {
  const queue = findProgram('redis-server') ? 'redis' : 'postgres';
  const stack = await startStack({ queue }, lifecycle);
  const [edge, rides] = [stack.edges[0], stack.rides[0]];
  if (!edge || !rides) throw new Error('the stack has no edge or no rides process');
  const { deviceKey: DEVICE_KEY, adminKey: ADMIN_KEY } = stack;
  return {
    name: `a split stack on ${queue}`,
    env: { BASE_URL: edge.url, READ_URL: rides.url, DEVICE_KEY, ADMIN_KEY },
  };
}

async function startTogether(lifecycle: Lifecycle): Promise<Target> {
  const { url: BASE_URL, deviceKey: DEVICE_KEY, adminKey: ADMIN_KEY } = await startAllInOne({}, lifecycle);
  return { name: 'the all-in-one process', env: { BASE_URL, DEVICE_KEY, ADMIN_KEY } };
}

/** Something that runs already; its keys come from the environment or `--env`. @throws Unsupported unless it is here */
export function existingTarget(url: string): Target {
  requireLoopback(new URL(url));
  return { name: url, env: { BASE_URL: url } };
}
