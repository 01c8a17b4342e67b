import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = path.resolve(import.meta.dirname, '../..');
const dockerfile = readFileSync(path.join(ROOT, 'deploy/Dockerfile'), 'utf8');
const ignore = readFileSync(path.join(ROOT, 'deploy/Dockerfile.dockerignore'), 'utf8');

/** What the ignore file leaves: it keeps out everything but what it names. */
const SENT = ignore.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));

let image: string;
beforeAll(() => {
  image = mkdtempSync(path.join(tmpdir(), 'liftline-image-'));
  for (const name of SENT) cpSync(path.join(ROOT, name), path.join(image, name), { recursive: true });
  // as the Dockerfile has it
  const install = spawnSync('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: image,
    encoding: 'utf8',
  });
  if (install.status !== 0) throw new Error(install.stderr);
  // of what npm has made only this is copied: a package of our own is installed beside it, with what it needs
  rmSync(path.join(image, 'tools'), { recursive: true, force: true });
}, 180_000);
afterAll(() => rmSync(image, { recursive: true, force: true }));

/** With the Node of the tests, which is that of the image: there is none among the packages of production. */
function liftline(...args: string[]) {
  return spawnSync(process.execPath, ['src/cli/main.ts', ...args], { cwd: image, encoding: 'utf8', env: { PATH: '' } });
}

describe('the image, as far as it can be made without Docker', () => {
  test('is made of what the ignore file leaves, and copies all of it', () => {
    expect(ignore).toMatch(/^\*$/m);
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, files]) => files?.split(' ') ?? []);
    expect([...new Set(copied)].toSorted()).toEqual(SENT.toSorted());
    expect(dockerfile).toContain('npm ci --omit=dev');
  });

  test('runs as a user, on the Node that the project pins', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    const [major] = packageJson.devDependencies.node.split('.');
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toEqual([`node:${major}-slim`, `node:${major}-slim`]);
    expect(process.version).toMatch(new RegExp(`^v${major}\\.`));
    expect(existsSync(path.join(image, 'node_modules/.bin/node'))).toBe(false);
  });

  test('holds no dev dependency', () => {
    const known = Object.keys(packageJson.devDependencies).filter((name) =>
      existsSync(path.join(image, 'node_modules', name)),
    );
    const inProduction = new Set(Object.keys(packageJson.dependencies));
    // some are dependencies of dependencies, too
    const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    expect(
      known.filter((name) => !inProduction.has(name) && lock.packages[`node_modules/${name}`]?.dev === true),
    ).toEqual([]);
    expect(dockerfile).toContain('COPY --from=packages /liftline/node_modules node_modules');
    expect(readdirSync(image).toSorted()).toEqual([...SENT, 'node_modules'].toSorted());
  });

  test('loads every command', () => {
    const help = liftline('--help');
    expect(help.stderr).toBe('');
    expect(help.status).toBe(0);
    for (const name of ['edge', 'rides', 'ops', 'worker', 'workers', 'init', 'up'])
      expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  test('refuses to start without settings, and says which', () => {
    const edge = liftline('edge');
    expect(edge.status).toBe(1);
    expect(edge.stderr).toContain('DIRECTORY_URL must be set');
  });

  test('its health check asks the process for its health, and takes nothing but a good answer', async () => {
    const [, script] = /CMD \["node", "-e", (".*")\]$/m.exec(dockerfile) ?? [];
    const check = async (port: number) => {
      const run = spawn(process.execPath, ['-e', JSON.parse(script as string) as string], {
        env: { PORT: String(port) },
      });
      const [status] = (await once(run, 'exit')) as [number];
      return status;
    };
    let answer = 200;
    const asked: (string | undefined)[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(url);
      response.writeHead(answer).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await check(port)).toBe(0);
    answer = 503;
    expect(await check(port)).toBe(1);
    server.close();
    await once(server, 'close');
    expect(await check(port)).toBe(1); // nobody is there
    expect(asked).toEqual(['/healthz', '/healthz']);
  });
});
