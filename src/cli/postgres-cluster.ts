import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ServerOwner } from './server-owner.ts';

/**
 * Finds the files of a Postgres server, or makes them at the first start.
 *
 * @param programs folder with `bin/initdb`
 * @returns where the cluster really lives (`dataDir`, or behind a link of that name when its owner can't reach it there),
 *   and the superuser's password
 * @throws Error with what initdb said
 */
export async function prepareCluster(
  dataDir: string,
  programs: string,
  owner: ServerOwner,
): Promise<{ cluster: string; password: string }> {
  const password = await readPassword(`${dataDir}.password`);
  const isThere = await lstat(dataDir).then(
    () => true,
    () => false,
  );
  if (isThere) return { cluster: await realpath(dataDir), password };
  const cluster = await owner.placeFor(dataDir);
  await initialise(cluster, programs, owner, password);
  if (cluster !== dataDir) await symlink(cluster, dataDir);
  return { cluster, password };
}

/** initdb beside the final place, then a rename: a start that was killed in the middle leaves no half of a cluster. */
async function initialise(cluster: string, programs: string, owner: ServerOwner, password: string): Promise<void> {
  const draft = `${cluster}.init`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await owner.own(draft);
  const passwordFile = path.join(tmpdir(), `liftline-${randomBytes(8).toString('hex')}`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await owner.own(passwordFile);
  try {
    const init = spawnSync(
      path.join(programs, 'bin', 'initdb'),
      [
        '-D',
        draft,
        '-U',
        'postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
      ],
      { ...owner.ids, cwd: '/', encoding: 'utf8' },
    );
    if (init.status !== 0) {
      await rm(draft, { recursive: true, force: true });
      throw new Error(`initdb failed: ${init.stderr.trim() || init.error?.message}`);
    }
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, cluster);
}

/** The superuser's password, made once and kept beside the cluster. */
async function readPassword(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known) return known.trim();
  const password = randomBytes(24).toString('hex');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return password;
}
