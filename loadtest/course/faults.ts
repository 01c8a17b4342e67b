import { killAndRestart, stopAndContinue } from '../faults/process-actions.ts';
import type { Stack } from '../stack.ts';

/** Something that is done to the system when a share of the requests has been answered. */
export interface Fault {
  /** 0 to 1 */
  atShare: number;
  name: string;
  /** resolves when the system is whole again */
  run: () => Promise<void>;
}

const WORKER_AWAY_MS = 1_000;

/** Every worker once, one after the other: killed, and started again a second later. */
export function workerKills(stack: Stack): Fault[] {
  return stack.workers.map((worker, at) => ({
    atShare: (at + 1) / (stack.workers.length + 1),
    name: `kill -9 of ${worker.name}`,
    run: () => killAndRestart(worker, WORKER_AWAY_MS),
  }));
}

/** The last node stops answering, as behind a network that swallows everything, and comes back as it was. */
export function nodeOutage(stack: Stack, seconds: number, atShare: number): Fault {
  const node = stack.nodes.at(-1);
  if (!node) throw new Error('no node to stop');
  return {
    atShare,
    name: `node ${node.name} stopped for ${seconds} s`,
    run: () => stopAndContinue(node.server, seconds * 1_000),
  };
}

/** The directory's server stops and stays away. */
export function directoryDown(stack: Stack): Fault {
  return { atShare: 0.25, name: 'directory stopped for good', run: () => stack.directoryServer.stop() };
}
