import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { doctorCommand } from '../../src/cli/doctor.ts';
import type { Finding } from '../../src/cli/doctor-finding.ts';
import { type Home, openHome, saveCredentials, saveRuntime } from '../../src/cli/home.ts';
import { identify, type ProcessIdentity } from '../../src/cli/process-identity.ts';
import { runHere } from '../support/commands.ts';

const self = identify(process.pid) as ProcessIdentity;
/** Nobody listens there. */
const AWAY = { directoryUrl: 'postgres://127.0.0.1:1/none', queueUrl: 'redis://127.0.0.1:1' };

let home: Home;
beforeEach(async () => {
  home = await openHome(await mkdtemp(path.join(tmpdir(), 'liftline-doctor-')));
  await saveCredentials(home, { baseUrl: 'http://127.0.0.1:1', deviceKey: 'd', adminKey: 'a' });
});
afterEach(() => rm(home.path, { recursive: true }));

/** @returns what the doctor says of the port and the directory of the `up` in the home */
async function look() {
  const env = { DIRECTORY_URL: '', QUEUE_URL: '', LIFTLINE_HOME: home.path, PORT: '0' };
  const { findings } = JSON.parse((await runHere(doctorCommand(), ['--json'], env)).output) as { findings: Finding[] };
  const of = (name: string) => findings.find(({ check }) => check === name);
  return { port: of('port'), directory: of('directory') };
}

test('an up that runs and is silent: its log says why', async () => {
  await saveRuntime(home, { process: self, ...AWAY });
  const { port, directory } = await look();
  expect(port).toMatchObject({ status: 'fail', detail: 'http://127.0.0.1:1 is silent' });
  expect(directory?.detail).toContain('ECONNREFUSED');
});

test('one that has ended: nobody is sent to its log, and the port is looked at for the next one', async () => {
  await saveRuntime(home, { process: { ...self, startedAt: '1' }, ...AWAY });
  const { port, directory } = await look();
  expect(port).toEqual({ check: 'port', status: 'ok', detail: '0 on 127.0.0.1 is free' });
  expect(directory?.detail).toContain('no liftline runs in');
});

test('one whose file can’t be read: a finding, beside the others', async () => {
  await writeFile(home.file('runtime.json'), '{"process":');
  const { port, directory } = await look();
  expect(port).toMatchObject({ status: 'fail', detail: expect.stringContaining('runtime.json is damaged') as string });
  expect(directory).toMatchObject({ status: 'fail' });
});
