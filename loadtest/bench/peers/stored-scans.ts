import { openDirectory } from '../../../src/directory/database.ts';
import { loadSnapshot } from '../../../src/directory/load-snapshot.ts';
import type { DirectorySnapshot } from '../../../src/directory/snapshot.ts';
import { Problem } from '../../../src/domain/problem.ts';
import type { Scan } from '../../../src/domain/scan.ts';
import { completeScan } from '../../../src/edge/complete-scan.ts';
import type { Lifecycle } from '../../../src/platform/lifecycle.ts';
import { benchScans } from '../scans.ts';

/** The directory of the stack that is measured. */
export function readDirectory(directoryUrl: string, lifecycle: Lifecycle): Promise<DirectorySnapshot> {
  return loadSnapshot(openDirectory({ url: directoryUrl, lifecycle }));
}

/** @returns so many scans as the edge would put them into a job */
export function completeScans(count: number, snapshot: DirectorySnapshot): Scan[] {
  const source = benchScans();
  return Array.from({ length: count }, () => {
    const scan = completeScan(source.next().value, 1, snapshot, Date.now());
    if (scan instanceof Problem) throw scan;
    return scan;
  });
}
