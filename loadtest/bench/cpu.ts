import type { Stack } from '../stack.ts';
import { treeCpuUs } from '../stack/process-tree.ts';

/** Microseconds of CPU, by part of the system. */
export type CpuByPart = Record<'edge' | 'queue' | 'worker' | 'postgres', number>;

/** @returns what every part has used since it started */
export function cpuByPart(stack: Stack): CpuByPart {
  const servers = new Set([stack.directoryServer.pid, ...stack.nodes.map(({ server }) => server.pid)]);
  return {
    edge: cpuOf(stack.edges.map(({ pid }) => pid)),
    queue: cpuOf([stack.redis?.process.pid]),
    worker: cpuOf(stack.workers.map(({ pid }) => pid)),
    postgres: cpuOf([...servers]),
  };
}

/** @returns microseconds a scan between two moments */
export function perScan(before: CpuByPart, after: CpuByPart, scans: number): CpuByPart & { sum: number } {
  const of = (part: keyof CpuByPart) => (after[part] - before[part]) / scans;
  const parts = { edge: of('edge'), queue: of('queue'), worker: of('worker'), postgres: of('postgres') };
  return { ...parts, sum: parts.edge + parts.queue + parts.worker + parts.postgres };
}

function cpuOf(pids: readonly (number | undefined)[]): number {
  return pids.reduce<number>((sum, pid) => sum + (pid ? treeCpuUs(pid) : 0), 0);
}
