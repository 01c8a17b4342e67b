import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/cli/free-port.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { PROJECT } from './liftline.ts';
import { type ManagedProcess, startProcess } from './managed-process.ts';
import { requireProgram } from './programs.ts';

export interface GatewayOptions {
  /** gets everything that nginx writes; root's nginx has workers of another user, who must be able to enter it */
  folder: string;
  /** base URLs of the processes behind it; at least one of each */
  edges: readonly string[];
  rides: readonly string[];
  ops: readonly string[];
  /** PEM files; without them there is no TLS, and so no HTTP/2 */
  tls?: { certificateFile: string; keyFile: string };
  /** requests a second that one address may send; all load comes from one, so practically any number unless given */
  requestsPerS?: number;
  /** a last change to the configuration, e.g. by a test that shows what a line is for */
  change?: (configuration: string) => string;
  /** see {@link startProcess} */
  owner?: Lifecycle;
}

export interface Gateway {
  url: string;
  /** the same over TLS, with HTTP/2; undefined without a certificate */
  tlsUrl: string | undefined;
  process: ManagedProcess;
  /** one JSON object a request, as far as it is written: nginx does so once a second, and when it stops */
  accessLog(): Promise<Record<string, unknown>[]>;
}

/** What nginx may use below the prefix, instead of the system's folders. */
const TEMP_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * Starts nginx with `deploy/nginx.conf`, its addresses and folders replaced, in the foreground and in a folder of its own.
 *
 * @throws Error when `nginx` is not there, when it does not start, or when the file is not what is replaced here
 */
export async function startNginx(o: GatewayOptions): Promise<Gateway> {
  const program = requireProgram('nginx', 'nginx');
  const prefix = path.join(o.folder, 'nginx');
  await mkdir(path.join(prefix, 'temp'), { recursive: true });
  for (const folder of [prefix, path.join(prefix, 'temp')]) await chmod(folder, 0o755); // root's workers run as another user
  const port = await freePort();
  const tlsPort = o.tls ? await freePort() : undefined;
  const shipped = await readFile(path.join(PROJECT, 'deploy/nginx.conf'), 'utf8');
  const configuration = render(shipped, { ...o, prefix, port, tlsPort });
  const file = path.join(prefix, 'nginx.conf');
  await writeFile(file, o.change?.(configuration) ?? configuration);
  const url = `http://127.0.0.1:${port}`;
  const process = await startProcess(
    {
      name: 'nginx',
      command: program,
      args: ['-p', prefix, '-c', file, '-e', path.join(prefix, 'error.log'), '-g', 'daemon off;'],
      cwd: prefix,
      env: {},
      url,
      logFile: path.join(prefix, 'output.log'),
      ready: () => askHealth(url),
    },
    o.owner,
  );
  return {
    url,
    tlsUrl: tlsPort === undefined ? undefined : `https://127.0.0.1:${tlsPort}`,
    process,
    async accessLog() {
      const lines = (await readFile(path.join(prefix, 'access.log'), 'utf8')).split('\n');
      return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

async function askHealth(url: string): Promise<void> {
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
  const body = await response.text();
  if (!response.ok) throw new Error(`not healthy: ${body}`);
}

/** Makes a certificate for 127.0.0.1 that nobody but a test trusts. @throws Error when `openssl` is not there */
export async function selfSignedCertificate(folder: string): Promise<{ certificateFile: string; keyFile: string }> {
  const [certificateFile, keyFile] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')];
  const name = ['-subj', '/CN=liftline', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const args = ['req', '-x509', '-days', '1', '-out', certificateFile, ...key, ...name];
  await promisify(execFile)(requireProgram('openssl', 'openssl'), args);
  return { certificateFile, keyFile };
}

type Rendering = GatewayOptions & { prefix: string; port: number; tlsPort: number | undefined };

function render(shipped: string, o: Rendering): string {
  let text = shipped;
  const replace = (pattern: RegExp, by: string) => {
    if (!pattern.test(text)) throw new Error(`deploy/nginx.conf has nothing like ${pattern.source}`);
    text = text.replaceAll(new RegExp(pattern, 'gm'), () => by);
  };
  for (const [name, urls] of [
    ['edge', o.edges],
    ['rides', o.rides],
    ['ops', o.ops],
  ] as const) {
    const line = new RegExp(`^( +server )[\\d.:]+( .*# ${name}\\n)`, 'm');
    const [, start = '', end = ''] = line.exec(text) ?? [];
    replace(new RegExp(`(${line.source})+`, 'm'), urls.map((url) => `${start}${new URL(url).host}${end}`).join(''));
  }
  const temp = TEMP_FOLDERS.map((name) => `    ${name}_temp_path ${path.join(o.prefix, 'temp', name)};\n`);
  replace(/^http \{\n/m, `http {\n${temp.join('')}`);
  replace(/\/run\/nginx\.pid/, path.join(o.prefix, 'nginx.pid'));
  replace(/\/var\/log\/nginx/, o.prefix);
  replace(/\/var\/cache\/nginx\/liftline/, path.join(o.prefix, 'cache'));
  replace(/^worker_processes auto;/m, 'worker_processes 2;');
  replace(/listen 80 /, `listen 127.0.0.1:${o.port} `);
  replace(/rate=\d+r\/s/, `rate=${o.requestsPerS ?? 1_000_000}r/s`);
  if (o.tls && o.tlsPort !== undefined) {
    replace(/listen 443 /, `listen 127.0.0.1:${o.tlsPort} `);
    replace(/\/etc\/liftline\/tls\.crt/, o.tls.certificateFile);
    replace(/\/etc\/liftline\/tls\.key/, o.tls.keyFile);
  } else {
    replace(/^ +(listen 443|ssl_).*\n/m, '');
  }
  return text;
}
