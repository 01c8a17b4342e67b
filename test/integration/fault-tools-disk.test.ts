import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canCutPower, createDiskImage, type DiskImage } from '../../loadtest/faults/tools/disk-image.ts';

const MB = 2 ** 20;
/** Mounting is root's, who does not run tests everywhere: the title says why they were skipped. */
const answer = canCutPower();

describe.skipIf(answer !== true)(`a disk in a file${answer === true ? '' : ` (skipped: ${answer})`}`, () => {
  let parent: string;
  let disk: DiskImage;
  beforeEach(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'liftline-disk-'));
    disk = await createDiskImage({ parent, name: 'disk', sizeMb: 64, canLosePower: true });
  });
  afterEach(async () => {
    await disk.remove();
    await rm(parent, { recursive: true, force: true });
  });

  const inDisk = (name: string) => path.join(disk.folder, name);
  const contentOf = (name: string) => readFile(inDisk(name), 'utf8').catch(() => '');

  async function writeSynced(name: string, text: string): Promise<void> {
    const file = await open(inDisk(name), 'a');
    await file.writeFile(text);
    await file.datasync();
    await file.close();
  }

  test('a power cut keeps what was synced and loses what was not', async () => {
    await writeSynced('log', 'synced ');
    const file = await open(inDisk('log'), 'a');
    await file.writeFile('not synced');
    await writeFile(inDisk('other'), 'not synced either');
    expect(await contentOf('log')).toBe('synced not synced');
    await disk.cutPower();
    await expect(file.writeFile('more')).rejects.toThrow(/EIO/);
    await file.close();
    await disk.powerOn();
    expect(await contentOf('log')).toBe('synced ');
    expect(await contentOf('other')).toBe('');
    await writeSynced('log', 'and on'); // it is a disk as before
    expect(await contentOf('log')).toBe('synced and on');
  });

  test('the control: without the cut, the same disk unmounted and mounted again has everything', async () => {
    await writeFile(inDisk('log'), 'not synced');
    await disk.powerOn();
    expect(await contentOf('log')).toBe('not synced');
  });

  test('is full when it is told to be, and has room again', async () => {
    const roomy = await disk.freeBytes();
    await disk.fill(MB);
    expect(await disk.freeBytes()).toBeLessThanOrEqual(MB);
    await expect(writeFile(inDisk('large'), Buffer.alloc(4 * MB))).rejects.toThrow(/ENOSPC/);
    await rm(inDisk('large'), { force: true });
    await disk.fill(0); // what has become free is taken, too
    expect(await disk.freeBytes()).toBeLessThan(MB / 4);
    await disk.release();
    expect(await disk.freeBytes()).toBeGreaterThan(roomy - MB);
    await writeFile(inDisk('large'), Buffer.alloc(4 * MB));
  });

  test('is gone also when it is removed while its power comes back', async () => {
    const powerOn = disk.powerOn();
    await disk.remove();
    await powerOn;
    expect(await readFile('/proc/mounts', 'utf8')).not.toContain(disk.folder);
  });

  test('is gone after it was removed, also when something still stands in it', async () => {
    const file = await open(inDisk('open'), 'w');
    await disk.remove();
    await file.close();
    expect(await readdir(disk.folder)).toEqual([]);
    await expect(stat(`${disk.folder}.img`)).rejects.toThrow(/ENOENT/);
    expect(await readFile('/proc/mounts', 'utf8')).not.toContain(disk.folder);
  });
});
