import path from 'node:path';
import { type Directory, withDirectory } from '../directory/database.ts';
import { type Config, loadConfig } from '../platform/config.ts';
import { type Runtime, readRuntime, readSecrets } from './home.ts';
import { isRunning } from './process-identity.ts';
import { CommandError } from './run-command.ts';

/** The commands that look into a running system find it by the environment, or by the home of a running `up`. */
export async function findDirectoryUrl(): Promise<string> {
  const given = process.env.DIRECTORY_URL;
  if (given) return loadConfig({ DIRECTORY_URL: given, QUEUE_URL: 'redis://unused' }, 'worker').directoryUrl;
  return (await findRunning('DIRECTORY_URL')).directoryUrl;
}

/** Where the lanes are, and what a job needs there. */
export type FoundQueue = Pick<Config, 'queueUrl' | 'queuePrefix' | 'queueReplicas' | 'queueDurability'>;

/**
 * Finds the queue by `QUEUE_...`; what is not set is as the running `up` has it, unless directory and queue are both set
 * and so may be those of another installation. A job under another prefix would wait where no worker looks.
 *
 * @throws CommandError when an `up` is needed and none runs, ConfigError when a setting is wrong
 */
export async function findQueue(): Promise<FoundQueue> {
  const { DIRECTORY_URL, QUEUE_URL, QUEUE_PREFIX, QUEUE_REPLICAS, QUEUE_DURABILITY } = process.env;
  const missing = QUEUE_URL ? 'DIRECTORY_URL' : 'QUEUE_URL';
  const running = DIRECTORY_URL && QUEUE_URL ? undefined : await findRunning(missing);
  const { queueUrl, queuePrefix, queueReplicas, queueDurability } = loadConfig(
    {
      DIRECTORY_URL: 'postgres://unused',
      QUEUE_URL: QUEUE_URL || running?.queueUrl,
      QUEUE_PREFIX: QUEUE_PREFIX || running?.queuePrefix,
      QUEUE_REPLICAS: QUEUE_REPLICAS || running?.queueReplicas?.toString(),
      QUEUE_DURABILITY: QUEUE_DURABILITY || running?.queueDurability,
    },
    'worker',
  );
  return { queueUrl, queuePrefix, queueReplicas, queueDurability };
}

async function findRunning(name: string): Promise<Runtime> {
  const runtime = await readRunning();
  if (runtime) return runtime;
  throw new CommandError(`${name} is not set, and no liftline runs in ${homeFolder()}: set it, or run liftline up`);
}

/** @returns what the `up` that runs in the home wrote; undefined when none runs there */
export async function readRunning(): Promise<Runtime | undefined> {
  const runtime = await readRuntime(homeFolder());
  return runtime && isRunning(runtime.process) ? runtime : undefined;
}

/** Does one thing with the directory's database. */
export async function onDirectory<T>(work: (directory: Directory) => Promise<T>): Promise<T> {
  return withDirectory(await findDirectoryUrl(), work);
}

/** @returns what signs tokens: `TOKEN_SECRET`, else that of the running `up`, else the home's own, also while nothing runs */
export async function findTokenSecret(): Promise<string> {
  const given = process.env.TOKEN_SECRET;
  if (given)
    return loadConfig({ TOKEN_SECRET: given, DIRECTORY_URL: 'postgres://unused', ADMIN_KEY: 'x'.repeat(20) }, 'rides')
      .tokenSecret;
  const running = await readRunning();
  if (running?.tokenSecret) return running.tokenSecret;
  const home = homeFolder();
  const secrets = await readSecrets(home);
  if (!secrets) throw new CommandError(`TOKEN_SECRET is not set, and ${home} has none: set it, or run liftline up`);
  return secrets.tokenSecret;
}

/** @returns where `up` keeps its data: `LIFTLINE_HOME`, or `.liftline` in the current folder */
export function homeFolder(): string {
  return path.resolve(process.env.LIFTLINE_HOME || '.liftline');
}
