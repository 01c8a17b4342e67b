import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Who the embedded Postgres runs as. It refuses to run as root, so for root it is an unprivileged user that every system
 * has; that user must reach the programs and the cluster, which it can't below /root.
 */
export interface ServerOwner {
  /** spawn options; empty when we are not root */
  ids: { uid?: number; gid?: number };
  /** @returns the folder itself, or a copy in a place that the owner reaches, made anew */
  reachable(folder: string): Promise<string>;
  /** @returns where a cluster that is wanted at `dataDir` can be: there, or in a shared place */
  placeFor(dataDir: string): Promise<string>;
  /** gives a file or folder to the owner */
  own(target: string): Promise<void>;
}

/** Where root's clusters and programs go when the owner can't reach the project. */
const SHARED_PLACE = '/var/lib/liftline';
const CANDIDATES = ['postgres', 'nobody'];

/** @param sharedPlace only tests give their own */
export function serverOwner(sharedPlace: string = SHARED_PLACE): ServerOwner {
  const isRoot = process.getuid?.() === 0;
  const ids: ServerOwner['ids'] = isRoot ? unprivilegedIds() : {};
  const canReach = (folder: string) =>
    !isRoot || spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...ids, cwd: '/' }).status === 0;
  return {
    ids,
    async reachable(folder) {
      if (canReach(folder)) return folder;
      const target = path.join(sharedPlace, path.basename(path.dirname(folder)), path.basename(folder));
      await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
      // links as they are: made absolute, they would lead back to where the owner can't go
      await cp(folder, target, { recursive: true, verbatimSymlinks: true });
      return target;
    },
    async placeFor(dataDir) {
      if (canReach(path.dirname(dataDir))) return dataDir;
      await mkdir(sharedPlace, { recursive: true, mode: 0o755 });
      return path.join(sharedPlace, `cluster-${randomBytes(4).toString('hex')}`);
    },
    async own(target) {
      if (ids.uid !== undefined && ids.gid !== undefined) await chown(target, ids.uid, ids.gid);
    },
  };
}

function unprivilegedIds(): { uid: number; gid: number } {
  for (const user of CANDIDATES) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, user], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error(
    `Postgres refuses to run as root and none of the users ${CANDIDATES.join(', ')} exists: run as another user`,
  );
}
