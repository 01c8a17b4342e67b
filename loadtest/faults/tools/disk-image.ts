import { execFile } from 'node:child_process';
import { accessSync } from 'node:fs';
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { until } from '../../client/until.ts';
import { findProgram, requireProgram } from '../../stack/programs.ts';
import { canCompile, compile } from './compile.ts';

/** An ext4 of its own, in a file: it can be full, and its power can be cut. */
export interface DiskImage {
  /** where it is mounted; belongs to root, everyone may enter */
  folder: string;
  /** bytes that can still be written */
  freeBytes(): Promise<number>;
  /** Takes away all but about so many bytes, with a file of nothing; again, it takes what has become free since. */
  fill(leaveBytes: number): Promise<void>;
  /** Gives back what {@link fill} took. */
  release(): Promise<void>;
  /**
   * From this instant nothing reaches the disk, and every write fails; only with `canLosePower`. What stays is what was
   * synced and what the kernel had written by itself. A disk's own cache is not played: what reached it counts as kept.
   */
  cutPower(): Promise<void>;
  /** Mounts it again, which replays its journal; whoever had it open must have ended. */
  powerOn(): Promise<void>;
  /** Unmounts it, by force if it must, and removes it. A second call does nothing. */
  remove(): Promise<void>;
}

const FREE_MS = 10_000;

/** @returns true when disk images can be made and mounted here, or what is missing */
export function canMountDisks(): true | string {
  if (process.getuid?.() !== 0) return 'only root can mount a disk image';
  const missing = ['mkfs.ext4', 'mount', 'umount'].filter((name) => !findProgram(name));
  if (missing.length > 0) return `${missing.join(' and ')} not found (Debian: apt install e2fsprogs mount)`;
  try {
    accessSync('/dev/loop-control');
    return true;
  } catch {
    return 'there are no loop devices (/dev/loop-control; modprobe loop)';
  }
}

/** @returns true when moreover their power can be cut, or what is missing */
export function canCutPower(): true | string {
  const answer = canMountDisks();
  return answer === true ? canCompile() : answer;
}

export interface DiskImageOptions {
  /** it is mounted as `<parent>/<name>`, its file beside it */
  parent: string;
  name: string;
  /** 16 or more; takes that much of the disk below only as it is written to */
  sizeMb: number;
  /** for {@link DiskImage.cutPower}, see {@link canCutPower} */
  canLosePower?: boolean;
}

/** @throws Error when this machine can't make or mount it: see {@link canMountDisks} */
export async function createDiskImage(o: DiskImageOptions): Promise<DiskImage> {
  const folder = path.join(o.parent, o.name);
  const file = `${folder}.img`;
  const cutter = o.canLosePower ? await compile({ source: 'cut-power', kind: 'program', into: o.parent }) : undefined;
  await mkdir(folder, { mode: 0o755 });
  await makeFile(file, o.sizeMb);
  let isMounted = false;
  let poweringOn: Promise<void> = Promise.resolve();
  const mount = async () => {
    await run('mount', ['-o', 'loop,noatime', file, folder]);
    isMounted = true;
  };
  const unmount = async () => {
    await run('umount', [folder]);
    isMounted = false;
  };
  await mount();
  const ballast = path.join(folder, 'ballast');
  const freeBytes = async () => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  };
  return {
    folder,
    freeBytes,
    async fill(leaveBytes) {
      const takeBytes = (await freeBytes()) - leaveBytes;
      if (takeBytes > 0) await lengthen(ballast, takeBytes);
    },
    release: () => rm(ballast, { force: true }),
    async cutPower() {
      if (!cutter) throw new Error('this disk can not lose its power');
      await run(cutter, [folder]);
    },
    powerOn() {
      poweringOn = until('the disk is free', () => unmount().then(() => true), { timeoutMs: FREE_MS }).then(mount);
      return poweringOn;
    },
    async remove() {
      await poweringOn.catch(() => {}); // whoever waits for it is told
      if (isMounted) await unmount().catch(() => run('umount', ['--lazy', folder]));
      isMounted = false;
      await rm(file, { force: true });
    },
  };
}

async function makeFile(file: string, sizeMb: number): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  await handle.truncate(sizeMb * 2 ** 20);
  await handle.close();
  // nothing kept for root, so that "full" is full for everyone; the tables at once, not while it is used
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', file]);
}

/** Takes what is there when somebody else was faster: the disk is full then. */
async function lengthen(file: string, bytes: number): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  try {
    await run('fallocate', ['--offset', String(size), '--length', String(bytes), file]);
  } catch (error) {
    if (!String(error).includes('No space left')) throw error;
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const file = path.isAbsolute(program) ? program : requireProgram(program, 'e2fsprogs');
  await promisify(execFile)(file, args);
}
