import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { startLoadtest } from './k6-loadtest-process.ts';
import { type Faults, type SmallService, startSmallService } from './k6-small-service.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SCRIPTS = path.join(ROOT, 'loadtest/k6');

async function typeCheck(project: string): Promise<string> {
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
  return promisify(execFile)(tsc, ['-p', project], { cwd: ROOT }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

describe('types', () => {
  test('the scripts type-check against k6 alone', async () => {
    expect(await typeCheck('loadtest/k6')).toBe('');
  });

  test('what Node or a browser has and k6 has not is an error', async () => {
    const folder = await mkdtemp(path.join(SCRIPTS, 'types-'));
    try {
      await writeFile(
        path.join(folder, 'tsconfig.json'),
        JSON.stringify({ extends: '../tsconfig.json', include: ['*.ts'] }),
      );
      await writeFile(
        path.join(folder, 'wrong.ts'),
        "import http from 'k6/http';\nimport { readFile } from 'node:fs';\nexport const all = [process, fetch, Buffer, document, http.nothing, readFile];\n",
      );
      const errors = await typeCheck(folder);
      for (const name of ['process', 'fetch', 'Buffer', 'document', 'nothing', 'node:fs'])
        expect(errors).toContain(`'${name}'`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('the scripts keep to what is the same in k6 and on Node: asynchronous requests, no state that users would share', async () => {
  const files = (await readdir(SCRIPTS)).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(5);
  const sources = await Promise.all(files.map((file) => readFile(path.join(SCRIPTS, file), 'utf8')));
  for (const source of sources) {
    expect(source).not.toMatch(/\bhttp\.(?!asyncRequest\b)\w+/);
    expect(source).not.toMatch(/^(export )?(let|var) /m);
    expect(source).not.toMatch(/^(export )?const \w+ = new (Map|Set|Array)\b/m);
  }
});

describe('scripts', () => {
  let running: SmallService | undefined;
  afterEach(() => running?.close());

  async function run(name: string, faults: Faults, ...more: string[]) {
    const service = await startSmallService(faults);
    running = service;
    const flags = ['--url', service.url, '--rate', '100', '--duration', '2s', '--env', 'LOST_AFTER_MS=500', ...more];
    return { service, ...(await (await startLoadtest([name, ...flags])).end()) };
  }

  test.each(['steady', 'read-mix', 'offline-gates', 'soak'])('%s runs, acks and reads back', async (name) => {
    const { code, report, service } = await run(name, {});
    // latencies are not what is tested here, and others may keep this machine busy
    const crossed = report?.thresholds.filter(({ ok, metric }) => !ok && !/duration|freshness/.test(metric));
    expect(crossed).toEqual([]);
    expect(report?.scriptErrors).toEqual({});
    expect([0, 1]).toContain(code);
    const readBack = report?.metrics.find((metric) => metric.name === 'scans_read_back');
    expect(readBack?.values.count).toBeGreaterThan(1);
    expect(service.posts).toBeGreaterThanOrEqual(200 + (name === 'read-mix' ? 20 : 200));
    // read-mix stores a thousand scans first, offline gates send batches of 500
    const inBatches = { 'read-mix': 1_000, 'offline-gates': 500 }[name] ?? 0;
    expect(service.scans - service.posts).toBe(inBatches);
  });

  test('burst runs; a signal ends it early, with a report and exit 130', async () => {
    const service = await startSmallService();
    running = service;
    const { url } = service;
    const loadtest = await startLoadtest(['burst', '--url', url, '--rate', '20', '--duration', '1s']);
    await until('the burst has begun', () => service.posts > 260, 30_000);
    loadtest.child.kill('SIGINT');
    const { code, report } = await loadtest.end();
    expect(code).toBe(130);
    expect(report).toMatchObject({ wasStopped: true, scriptErrors: {} });
    expect(report?.scenarios.map(({ name, planned }) => [name, planned])).toEqual([
      ['before', 20],
      ['burst', 60 + 3_000 + 60 + 20],
    ]);
  });

  test('a service that forgets what it has acked fails every script', async () => {
    const { code, report } = await run('steady', { forget: 1 });
    expect(code).toBe(1);
    expect(report?.thresholds.find(({ metric }) => metric === 'scans_lost')).toMatchObject({ ok: false });
  });

  test('a service that stores a repeated scan twice fails', async () => {
    const { code, report } = await run('steady', { keepTwice: true });
    expect(code).toBe(1);
    expect(report?.thresholds.find(({ metric }) => metric === 'checks{kind:read-back}')).toMatchObject({ ok: false });
    expect(report?.thresholds.find(({ metric }) => metric === 'scans_lost')).toMatchObject({ ok: true });
  });

  test('a slow service crosses the latency threshold', async () => {
    const { code, report } = await run('steady', { slowMs: 80 });
    expect(code).toBe(1);
    expect(report?.thresholds.find(({ metric }) => metric === 'http_req_duration{op:ack}')).toMatchObject({
      ok: false,
    });
  });

  test('a name that is no script: exit 2 at once, nothing is started', async () => {
    const { code, output } = await (await startLoadtest(['steadi'])).end();
    expect(output).toContain('steadi.ts');
    expect(code).toBe(2);
  });

  test('without keys: exit 2 and the name of what is missing', async () => {
    const { code, output } = await run('steady', {}, '--env', 'ADMIN_KEY=');
    expect(output).toContain('ADMIN_KEY is not set');
    expect(code).toBe(2);
  });
});
