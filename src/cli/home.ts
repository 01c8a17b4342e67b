import { randomBytes } from 'node:crypto';
import { access, chmod, constants, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { lockHome } from './home-lock.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { CommandError } from './run-command.ts';

/** Others may pass through (root's Postgres runs as another user), and see nothing: each file within is its owner's alone. */
const HOME_MODE = 0o711;

/** The layout of a home. Raised when an older version could not use it any more. */
const FORMAT = 1;

const secretsSchema = z.object({
  tokenSecret: z.string().min(32),
  adminKey: z.string().min(20),
  /** of the sample device, once it was added */
  deviceKey: z.string().optional(),
});

/** What `up` made at its first start and must find again. */
export type Secrets = z.infer<typeof secretsSchema>;

const credentialsSchema = z.object({ baseUrl: z.string(), deviceKey: z.string(), adminKey: z.string() });

/** What a person or a script needs to talk to a running `up`. */
export type Credentials = z.infer<typeof credentialsSchema>;

const runtimeSchema = z.object({
  process: z.object({ pid: z.number(), startedAt: z.string() }),
  directoryUrl: z.string(),
  queueUrl: z.string(),
  // what an older version did not write
  queuePrefix: z.string().optional(),
  queueReplicas: z.number().optional(),
  queueDurability: z.string().optional(),
  tokenSecret: z.string().optional(),
});

/** Where a running `up` has its databases, and what the other commands need to use them as it does. */
export type Runtime = z.infer<typeof runtimeSchema> & { process: ProcessIdentity };

/** The folder of one `up`, which holds its lock. */
export interface Home {
  /** absolute */
  path: string;
  file(name: string): string;
  release(): Promise<void>;
}

/**
 * Makes or opens a home and locks it.
 *
 * @throws CommandError when it can't be written, is something else, is of another format, or another process uses it
 */
export async function openHome(folder: string): Promise<Home> {
  const home = path.resolve(folder);
  await makeWritable(home);
  const format = await readFormat(home);
  if (format !== String(FORMAT)) {
    throw new CommandError(
      `${home} has format ${format} and this version of Liftline works with ${FORMAT}: use the version that made it, or set LIFTLINE_HOME`,
    );
  }
  const release = await lockHome(home);
  return { path: home, file: (name) => path.join(home, name), release };
}

async function makeWritable(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: HOME_MODE });
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    const probe = path.join(home, `.write-${process.pid}`); // root passes `access` on a file system that is read-only
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    throw new CommandError(`can't write to LIFTLINE_HOME ${home} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

async function readFormat(home: string): Promise<string> {
  const file = path.join(home, 'version');
  const found = await readFile(file, 'utf8').catch(() => undefined);
  if (found !== undefined) return found.trim();
  const others = (await readdir(home)).filter((name) => name !== 'lost+found');
  if (others.length > 0) throw new CommandError(`${home} holds other files: set LIFTLINE_HOME to a folder of its own`);
  await chmod(home, HOME_MODE);
  await writePrivate(file, `${FORMAT}\n`);
  return String(FORMAT);
}

/** @returns the home's secrets; makes them the first time */
export async function openSecrets(home: Home): Promise<Secrets> {
  const known = await readSecrets(home.path);
  if (known) return known;
  const secrets = {
    tokenSecret: randomBytes(32).toString('base64url'),
    adminKey: `ll_adm_${randomBytes(32).toString('base64url')}`,
  };
  await saveSecrets(home, secrets);
  return secrets;
}

/** @returns the secrets of a home that may be in use, or undefined when it has none */
export async function readSecrets(folder: string): Promise<Secrets | undefined> {
  return readJson(path.join(folder, 'secrets.json'), secretsSchema);
}

export async function saveSecrets(home: Home, secrets: Secrets): Promise<void> {
  await writePrivate(home.file('secrets.json'), toJson(secrets));
}

export async function saveCredentials(home: Home, credentials: Credentials): Promise<void> {
  await writePrivate(home.file('credentials.json'), toJson(credentials));
}

/** @returns what the last `up` of this home wrote, whether it still runs or not; undefined when there was none */
export async function readCredentials(folder: string): Promise<Credentials | undefined> {
  return readJson(path.join(folder, 'credentials.json'), credentialsSchema);
}

export async function saveRuntime(home: Home, runtime: Runtime): Promise<void> {
  await writePrivate(home.file('runtime.json'), toJson(runtime));
}

/** @returns what a running `up` wrote, or undefined; a killed one leaves its file behind, so check `process` */
export async function readRuntime(folder: string): Promise<Runtime | undefined> {
  return readJson(path.join(folder, 'runtime.json'), runtimeSchema);
}

export async function removeRuntime(home: Home): Promise<void> {
  await rm(home.file('runtime.json'), { force: true });
}

const toJson = (value: object) => `${JSON.stringify(value, null, 2)}\n`;

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const found = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new CommandError(`can't read ${file} (${error.code})`, { cause: error });
  });
  if (found === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(found));
  } catch (error) {
    throw new CommandError(`${file} is damaged`, { cause: error });
  }
}

/** Replaced whole: a reader, or the next start after a crash, finds the old or the new text and never a part of one. */
async function writePrivate(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await rename(draft, file);
}
