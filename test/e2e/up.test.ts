import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/free-port.ts';
import { processesNaming, type Run, runLiftline } from '../support/processes.ts';
import { until } from '../support/until.ts';

interface Credentials {
  baseUrl: string;
  deviceKey: string;
  adminKey: string;
}

async function credentials(home: string): Promise<Credentials> {
  return JSON.parse(await readFile(path.join(home, 'credentials.json'), 'utf8')) as Credentials;
}

async function startUp(home: string, port: number): Promise<Run> {
  // no LOG_LEVEL, as with people
  const run = runLiftline(['up'], { LIFTLINE_HOME: home, PORT: String(port), WORKERS: '1', LOG_LEVEL: '' });
  await until(
    'liftline up is ready',
    async () => {
      if (run.child.exitCode !== null) throw new Error(`it ended:\n${run.output()}`);
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok && run.output().includes('/docs');
    },
    60_000,
  );
  return run;
}

async function postScan(to: Credentials, skierId: number, scannedAt: Date): Promise<number> {
  const response = await fetch(`${to.baseUrl}/v1/scans`, {
    method: 'POST',
    headers: { authorization: `Bearer ${to.deviceKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ resortId: 1, liftId: 3, skierId, scannedAt: scannedAt.toISOString() }),
  });
  await response.text();
  return response.status;
}

async function ridesOf(of: Credentials, skierId: number): Promise<{ liftId: number; verticalM: number }[]> {
  const response = await fetch(`${of.baseUrl}/v1/skiers/${skierId}/rides`, {
    headers: { authorization: `Bearer ${of.adminKey}` },
  });
  return ((await response.json()) as { rides: { liftId: number; verticalM: number }[] }).rides;
}

describe('liftline up', () => {
  let home: string;
  let port: number;
  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'liftline-home-'));
    await chmod(home, 0o711); // root's Postgres runs as another user, who must get in
    port = await freePort();
  });
  afterAll(async () => {
    for (const pid of processesNaming(home)) process.kill(pid, 'SIGKILL');
    await rm(home, { recursive: true, force: true });
  });

  test('takes a scan, shows the ride, stops without a trace, and finds it again after kill -9 of everything', async () => {
    const first = await startUp(home, port);
    const keys = await credentials(home);
    expect(Object.keys(keys).toSorted()).toEqual(['adminKey', 'baseUrl', 'deviceKey']);
    expect(keys.baseUrl).toBe(`http://127.0.0.1:${port}`);
    expect((await stat(path.join(home, 'credentials.json'))).mode & 0o777).toBe(0o600);
    for (const shown of [keys.baseUrl, `${keys.baseUrl}/docs`, 'curl', keys.deviceKey, keys.adminKey]) {
      expect(first.output()).toContain(shown);
    }

    const [link = ''] = /\S+\/app\/sign-in\?token=\S+/.exec(first.output()) ?? [];
    const signedIn = await fetch(link, { redirect: 'manual' });
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await fetch(`${keys.baseUrl}/app`, { headers: { cookie } });
    expect([signedIn.status, await page.text()]).toEqual([
      303,
      expect.stringContaining('The snow is still untouched.'),
    ]);
    expect(first.output()).not.toContain('ExperimentalWarning'); // of the types that the page's script has

    expect(first.output()).not.toContain('"level":"info"'); // neither its own nor of its workers: LOG_LEVEL is warn

    expect(await postScan(keys, 77, new Date())).toBe(202);
    expect(await until('the ride is there', async () => (await ridesOf(keys, 77))[0])).toMatchObject({
      liftId: 3,
      verticalM: 30,
    });

    const second = runLiftline(['up'], { LIFTLINE_HOME: home, PORT: String(await freePort()) });
    expect(await second.exit()).toBe(1);
    expect(second.output().trim().split('\n')).toHaveLength(1);
    expect(second.output()).toMatch(/already runs|another/i);

    const listed = runLiftline(['devices', 'list'], { LIFTLINE_HOME: home });
    expect(await listed.exit()).toBe(0);

    first.child.kill('SIGTERM');
    expect(await first.exit(10_000)).toBe(0);
    expect(processesNaming(home)).toEqual([]);

    const third = await startUp(home, port);
    expect(await credentials(home)).toEqual(keys);
    expect(await ridesOf(keys, 77)).toHaveLength(1);
    expect(await postScan(keys, 78, new Date())).toBe(202);
    const pids = processesNaming(home);
    expect(pids.length).toBeGreaterThanOrEqual(3); // up, a worker, Postgres (whose sessions hide their environment)
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await third.exit();

    const fourth = await startUp(home, port);
    expect(
      await until('what was acked before kill -9 is there', async () => (await ridesOf(keys, 78))[0]),
    ).toMatchObject({ liftId: 3 });
    fourth.child.kill('SIGINT');
    expect(await fourth.exit(10_000)).toBe(0);
    expect(processesNaming(home)).toEqual([]);
  }, 180_000);

  test('a port that is taken: one clear line and exit 1', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address() as { port: number };
    const run = runLiftline(['up'], { LIFTLINE_HOME: path.join(home, 'other'), PORT: String(address.port) });
    expect(await run.exit()).toBe(1);
    expect(run.output().trim().split('\n')).toHaveLength(1);
    expect(run.output()).toContain(String(address.port));
    taken.close();
  });

  test('a home that is not a folder, or of another version: one clear line and exit 1', async () => {
    const file = path.join(home, 'a-file');
    await writeFile(file, '');
    const blocked = runLiftline(['up'], { LIFTLINE_HOME: file, PORT: String(await freePort()) });
    expect(await blocked.exit()).toBe(1);
    expect(blocked.output().trim().split('\n')).toHaveLength(1);

    const newer = await mkdtemp(path.join(home, 'newer-'));
    await writeFile(path.join(newer, 'version'), '999\n');
    const refused = runLiftline(['up'], { LIFTLINE_HOME: newer, PORT: String(await freePort()) });
    expect(await refused.exit()).toBe(1);
    expect(refused.output().trim().split('\n')).toHaveLength(1);
    expect(refused.output()).toContain('999');
  });

  test('wrong configuration: all problems at once, before anything starts', async () => {
    const run = runLiftline(['edge'], { PORT: 'eighty', QUEUE_URL: 'amqp://nowhere' });
    expect(await run.exit()).toBe(1);
    for (const name of ['PORT', 'QUEUE_URL', 'DIRECTORY_URL']) expect(run.output()).toContain(name);
  });
});
