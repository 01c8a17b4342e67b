import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, loadConfig, type ProcessName, SETTINGS } from '../platform/config.ts';
import { checkPortIsFree } from '../platform/http-server.ts';
import { type Finding, fail, ok, warn } from './doctor-finding.ts';

type Environment = Record<string, string | undefined>;

/** As package.json asks for: the first version that runs TypeScript as it is. */
const OLDEST_NODE = [22, 18] as const;
const SPLIT = ['edge', 'rides', 'ops', 'worker', 'workers'] as const satisfies readonly ProcessName[];
const PROBE_MS = 2_000;

/** @param version like `24.1.0` */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOld
    ? fail(
        'Node',
        `${version} is too old`,
        `run npm ci, which brings its own, or use ${OLDEST_NODE.join('.')} or newer`,
      )
    : ok('Node', version);
}

/** Every setting that is set, as each process would read it. What is not set here may be set where that process runs. */
export function checkSettings(env: Environment, processes: readonly ProcessName[] = SPLIT): Finding[] {
  const missing = new Set<string>();
  const wrong = new Set<string>();
  for (const process of processes) {
    for (const problem of problemsOf(env, process)) {
      const [, name] = /^(\w+) must be set: /.exec(problem) ?? [];
      if (name) missing.add(name);
      else wrong.add(problem);
    }
  }
  if (wrong.size > 0) return [...wrong].map((problem) => fail('settings', problem, 'see the table in the README'));
  const names = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
  const count = [...names].filter((name) => env[name]).length;
  const notHere = missing.size > 0 ? `; not set here, and needed by some: ${[...missing].join(', ')}` : '';
  return [ok('settings', `${count} set, all of them make sense${notHere}`)];
}

function problemsOf(env: Environment, process: ProcessName): string[] {
  try {
    loadConfig(env, process);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/**
 * Whether an HTTP process can listen here, or does so already.
 *
 * @param url of the running `up`, which must answer; undefined: whoever listens at the port may, if it is Liftline
 */
export async function checkPort(o: { host: string; port: number; url: string | undefined }): Promise<Finding> {
  const url = o.url ?? `http://${o.host === '0.0.0.0' ? '127.0.0.1' : o.host}:${o.port}`;
  const state = await askReady(url);
  if (state === 'ready') return ok('port', `${url} answers and is ready`);
  if (state === 'not ready' || o.url !== undefined)
    return fail('port', `${url} is ${state}`, 'see its log: it says what it waits for');
  try {
    if (o.port !== 0) await checkPortIsFree(o.host, o.port);
    return ok('port', `${o.port} on ${o.host} is free`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fail('port', error.message, 'only an edge, rides, ops or up that starts on this machine needs it');
  }
}

const readiness = z.union([z.object({ status: z.literal('ready') }), z.object({ code: z.literal('starting') })]);

async function askReady(url: string): Promise<'ready' | 'not ready' | 'silent'> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_MS) });
    const reply = readiness.safeParse(await response.json());
    if (!reply.success) return 'silent';
    return 'status' in reply.data ? 'ready' : 'not ready';
  } catch {
    return 'silent';
  }
}

const GB = 2 ** 30;
const DISK_WARN_SHARE = 0.1;
const DISK_FAIL_SHARE = 0.03;

/** @returns nothing for a folder that is not on this machine */
export async function checkDisk(check: string, folder: string): Promise<Finding[]> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk ? [judgeDisk(check, { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize })] : [];
}

/** Postgres and Redis stop to write, and so the lanes to drain, when the disk is full. */
export function judgeDisk(
  check: string,
  { freeBytes, totalBytes }: { freeBytes: number; totalBytes: number },
): Finding {
  const share = totalBytes > 0 ? freeBytes / totalBytes : 0;
  const detail = `${(freeBytes / GB).toFixed(1)} GB free, ${Math.round(share * 100)} %`;
  if (share < DISK_FAIL_SHARE) return fail(check, detail, 'make room now: a full disk stops all writes');
  return share < DISK_WARN_SHARE ? warn(check, detail, 'make room, or give it a larger disk') : ok(check, detail);
}
