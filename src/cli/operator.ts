import path from 'node:path';
import { type Directory, withDirectory } from '../directory/database.ts';
import { loadConfig } from '../platform/config.ts';
import type { QueueAddress } from '../queue/lanes.ts';
import { type Runtime, readRuntime, readSecrets } from './home.ts';
import { isRunning } from './process-identity.ts';
import { CommandError } from './run-command.ts';

/** The commands that look into a running system find it by the environment, or by the home of a running `up`. */
export async function findDirectoryUrl(): Promise<string> {
  const given = process.env.DIRECTORY_URL;
  if (given) return loadConfig({ DIRECTORY_URL: given, QUEUE_URL: 'redis://unused' }, 'worker').directoryUrl;
  return (await findRunning('DIRECTORY_URL')).directoryUrl;
}

/** @returns where the lanes are and what a job needs there, by `QUEUE_...` or by the home of a running `up` */
export async function findQueue(): Promise<QueueAddress & { queueReplicas: number }> {
  const QUEUE_URL = process.env.QUEUE_URL || (await findRunning('QUEUE_URL')).queueUrl;
  const { QUEUE_PREFIX, QUEUE_REPLICAS } = process.env;
  const { queueUrl, queuePrefix, queueReplicas } = loadConfig(
    { DIRECTORY_URL: 'postgres://unused', QUEUE_URL, QUEUE_PREFIX, QUEUE_REPLICAS },
    'worker',
  );
  return { queueUrl, queuePrefix, queueReplicas };
}

async function findRunning(name: string): Promise<Runtime> {
  const home = homeFolder();
  const runtime = await readRuntime(home);
  if (runtime && isRunning(runtime.process)) return runtime;
  throw new CommandError(`${name} is not set, and no liftline runs in ${home}: set it, or run liftline up`);
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
