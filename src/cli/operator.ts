import path from 'node:path';
import { type Directory, withDirectory } from '../directory/database.ts';
import { loadConfig } from '../platform/config.ts';
import { readRuntime, readSecrets } from './home.ts';
import { isRunning } from './process-identity.ts';
import { CommandError } from './run-command.ts';

/** The commands that look into a running system find it by the environment, or by the home of a running `up`. */
export async function findDirectoryUrl(): Promise<string> {
  if (process.env.DIRECTORY_URL) {
    return loadConfig({ DIRECTORY_URL: process.env.DIRECTORY_URL, QUEUE_URL: 'redis://unused' }, 'worker').directoryUrl;
  }
  const home = homeFolder();
  const runtime = await readRuntime(home);
  if (!runtime || !isRunning(runtime.process)) {
    throw new CommandError(`DIRECTORY_URL is not set, and no liftline runs in ${home}: set it, or run liftline up`);
  }
  return runtime.directoryUrl;
}

/** Does one thing with the directory's database. */
export async function onDirectory<T>(work: (directory: Directory) => Promise<T>): Promise<T> {
  return withDirectory(await findDirectoryUrl(), work);
}

/** @returns what signs tokens: `TOKEN_SECRET`, or the home's own, also while nothing runs there */
export async function findTokenSecret(): Promise<string> {
  const given = process.env.TOKEN_SECRET;
  if (given)
    return loadConfig({ TOKEN_SECRET: given, DIRECTORY_URL: 'postgres://unused', ADMIN_KEY: 'x'.repeat(20) }, 'rides')
      .tokenSecret;
  const home = homeFolder();
  const secrets = await readSecrets(home);
  if (!secrets) throw new CommandError(`TOKEN_SECRET is not set, and ${home} has none: set it, or run liftline up`);
  return secrets.tokenSecret;
}

/** @returns where `up` keeps its data: `LIFTLINE_HOME`, or `.liftline` in the current folder */
export function homeFolder(): string {
  return path.resolve(process.env.LIFTLINE_HOME || '.liftline');
}
