import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Report } from '../../loadtest/k6-on-node/report.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const RUN = path.join(ROOT, 'loadtest/k6-on-node/run.ts');

export interface Loadtest {
  child: ChildProcess;
  output(): string;
  /** @returns the exit code, what it printed and the report that it wrote, if any */
  end(): Promise<{ code: number | null; output: string; report: Report | undefined; chart: string | undefined }>;
}

/** Starts `npm run loadtest -- <args>` as a process; it ends by itself. */
export async function startLoadtest(args: readonly string[]): Promise<Loadtest> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-loadtest-'));
  const child = spawn(process.execPath, [RUN, ...args, '--results', folder], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, DEVICE_KEY: 'device', ADMIN_KEY: 'admin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const closed = once(child, 'close');
  return {
    child,
    output: () => output,
    async end() {
      await closed;
      const files = await readdir(folder);
      const read = (ending: string) => {
        const file = files.find((name) => name.endsWith(ending));
        return file === undefined ? undefined : readFile(path.join(folder, file), 'utf8');
      };
      const [json, chart] = [await read('.json'), await read('.svg')];
      await rm(folder, { recursive: true });
      return { code: child.exitCode, output, report: json === undefined ? json : (JSON.parse(json) as Report), chart };
    },
  };
}

/** Runs a script that is given as text. */
export async function runScript(source: string, url: string): ReturnType<Loadtest['end']> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-script-'));
  const file = path.join(folder, 'script.ts');
  await writeFile(file, source);
  try {
    return await (await startLoadtest([file, '--url', url])).end();
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A script with one scenario; `scenario` and `thresholds` are what stands in the options. */
export function script(o: {
  scenario?: string;
  thresholds?: string;
  imports?: string;
  body?: string;
  more?: string;
}): string {
  const scenario = o.scenario ?? `executor: 'constant-arrival-rate', rate: 20, duration: '1s', preAllocatedVUs: 20`;
  return `
    import http from 'k6/http';
    import { check } from 'k6';
    ${o.imports ?? ''}
    export const options = { scenarios: { main: { ${scenario} } }, thresholds: { ${o.thresholds ?? ''} } };
    export default async function () {
      ${o.body ?? "check(await http.asyncRequest('GET', __ENV.BASE_URL), { 'is 200': (r) => r.status === 200 });"}
    }
    ${o.more ?? ''}`;
}
