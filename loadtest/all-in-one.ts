import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { liftlineProcess } from './stack/liftline.ts';
import type { ManagedProcess } from './stack/managed-process.ts';
import { buildOwned } from './stack/owned.ts';

/** What `npm start` runs, as it comes, in a home of its own. */
export interface AllInOne {
  /** everything it keeps and its log; gone after {@link stop} */
  folder: string;
  /** its `LIFTLINE_HOME` */
  home: string;
  url: string;
  deviceKey: string;
  adminKey: string;
  process: ManagedProcess;
  /** Stops it as Ctrl-C does and removes the home. @throws Error when it had to be killed */
  stop(): Promise<void>;
}

const credentials = z.object({ deviceKey: z.string(), adminKey: z.string() });

const STOP_MS = 30_000;

/**
 * @param owner see {@link buildOwned}
 * @throws Error when it does not start; nothing is left behind then
 */
export function startAllInOne(o: { env?: Record<string, string> } = {}, owner?: Lifecycle): Promise<AllInOne> {
  return buildOwned({ name: 'all-in-one', stopMs: STOP_MS, owner }, (lifecycle) => build(o.env, lifecycle));
}

async function build(env: Record<string, string> | undefined, lifecycle: Lifecycle): Promise<AllInOne> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-up-'));
  lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
  const home = path.join(folder, 'home');
  const settings = { LIFTLINE_HOME: home, ...env };
  const process = await liftlineProcess({ kind: 'up', name: 'up', folder, env: settings, owner: lifecycle });
  const keys = credentials.parse(JSON.parse(await readFile(path.join(home, 'credentials.json'), 'utf8')));
  return { folder, home, url: process.url, ...keys, process, stop: () => lifecycle.stop(STOP_MS) };
}
