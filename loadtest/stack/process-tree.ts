import { readdirSync, readFileSync } from 'node:fs';

/** What proc(5) says about a process at one moment. */
export interface ProcessUsage {
  /** microseconds of CPU in user and kernel mode, of itself */
  cpuUs: number;
  /** the same of its children that have ended and were waited for */
  endedChildrenCpuUs: number;
  /** bytes resident */
  residentBytes: number;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;

/** @returns undefined when there is no such process, or no proc(5) */
export function usageOf(pid: number): ProcessUsage | undefined {
  const fields = statFields(pid);
  if (!fields) return undefined;
  const tick = (at: number) => Number(fields[at - 3]) * TICK_US;
  return {
    cpuUs: tick(14) + tick(15),
    endedChildrenCpuUs: tick(16) + tick(17),
    residentBytes: residentBytes(pid),
  };
}

/** @returns the process and all that descend from it */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** @returns microseconds of CPU that a process and all of its descendants have used, those that ended included */
export function treeCpuUs(root: number): number {
  let sum = 0;
  for (const pid of treeOf(root)) {
    const usage = usageOf(pid);
    if (usage) sum += usage.cpuUs + usage.endedChildrenCpuUs;
  }
  return sum;
}

/** Stops or continues a process with its children: of a Postgres server, a stopped postmaster alone stops nobody. */
export function signalTree(root: number, signal: NodeJS.Signals): void {
  for (const pid of treeOf(root)) {
    try {
      process.kill(pid, signal);
    } catch {
      continue; // it ended in between
    }
  }
}

/** The fields of `stat` from the third on; the second is the name, which may hold blanks and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ');
  } catch {
    return undefined;
  }
}

function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return Number(kilobytes ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
