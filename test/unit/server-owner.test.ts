import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ServerOwner, serverOwner } from '../../src/cli/server-owner.ts';

/** @returns what that user reads there */
function read(owner: ServerOwner, place: string): string {
  return spawnSync('cat', [path.join(place, 'library.so')], { ...owner.ids, cwd: '/', encoding: 'utf8' }).stdout;
}

describe.runIf(process.getuid?.() === 0)('the user of the embedded Postgres, for root', () => {
  let folder: string;
  let programs: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'liftline-owner-'));
    await chmod(folder, 0o755);
    programs = path.join(folder, 'private', 'linux', 'native');
    await mkdir(programs, { recursive: true });
    await writeFile(path.join(programs, 'library.so.1'), 'code');
    await symlink('library.so.1', path.join(programs, 'library.so'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('uses programs where they are, when it reaches them', async () => {
    const owner = serverOwner(path.join(folder, 'shared'));
    expect(await owner.reachable(programs)).toBe(programs);
    expect(read(owner, programs)).toBe('code');
  });

  test('else gets a copy whose links lead to the copy, also over an older one', async () => {
    await chmod(path.join(folder, 'private'), 0o700);
    const owner = serverOwner(path.join(folder, 'shared'));
    expect(read(owner, programs)).toBe('');
    for (const code of ['code', 'newer']) {
      await writeFile(path.join(programs, 'library.so.1'), code);
      const place = await owner.reachable(programs);
      expect(place).toBe(path.join(folder, 'shared', 'linux', 'native'));
      expect(read(owner, place)).toBe(code);
    }
  });
});
