import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { liftlineProcess } from './stack/liftline.ts';
import type { ManagedProcess } from './stack/managed-process.ts';

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

export async function startAllInOne(o: { env?: Record<string, string> } = {}): Promise<AllInOne> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-up-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
  const home = path.join(folder, 'home');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const process = await liftlineProcess({ kind: 'up', name: 'up', folder, env: { LIFTLINE_HOME: home, ...o.env } });
    const keys = credentials.parse(JSON.parse(await readFile(path.join(home, 'credentials.json'), 'utf8')));
    return {
      folder,
      home,
      url: process.url,
      ...keys,
      process,
      async stop() {
        await process.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
