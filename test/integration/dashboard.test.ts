import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { freePort } from '../../src/cli/free-port.ts';
import { addDevice } from '../../src/directory/add-device.ts';
import { withDirectory } from '../../src/directory/database.ts';
import { importResorts } from '../../src/directory/import-resorts.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { type Run, runLiftline } from '../support/processes.ts';
import { type Exported, readExported, readPromql } from '../support/promql.ts';
import { until } from '../support/until.ts';

const DEPLOY = path.resolve(import.meta.dirname, '../../deploy');

const dashboard = z.object({
  uid: z.string(),
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string().min(1),
      type: z.string(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.object({ expr: z.string() })).default([]),
    }),
  ),
});
const rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Liftline[A-Z]\w+$/),
          expr: z.string(),
          for: z.string().regex(/^\d+[smh]$/),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string().min(10), runbook: z.string().min(60) }),
        }),
      ),
    }),
  ),
});

const { panels } = dashboard.parse(JSON.parse(readFileSync(path.join(DEPLOY, 'grafana/liftline.json'), 'utf8')));
const alerts = rules
  .parse(parse(readFileSync(path.join(DEPLOY, 'prometheus/alerts.yaml'), 'utf8')))
  .groups.flatMap((group) => group.rules);
const QUERIES = [
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
  ...alerts.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
];
/** Prometheus adds these to every series, and histograms have `le`. */
const ADDED_LABELS = ['instance', 'job', 'le'];

describe('the dashboard and the alerts', () => {
  test('panels have ids of their own and do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let cell = 0; cell < w * h; cell += 1) {
        const at = `${x + (cell % w)} ${y + Math.floor(cell / w)}`;
        expect(taken.has(at)).toBe(false);
        taken.add(at);
      }
    }
  });

  test('alerts have names of their own, and what they talk about is a label of their result', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, expr, annotations } of alerts) {
      const named = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? '');
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => (list ?? '').split(/, */));
      expect([alert, named.filter((label) => !kept.includes(label))]).toEqual([alert, []]);
    }
  });
});

/** One scan that is taken, one that is not, and a read. */
async function makeTraffic(o: { edge: string; rides: string; deviceKey: string; adminKey: string }): Promise<void> {
  const scannedAt = new Date(Date.now() - 5_000).toISOString();
  const post = (resortId: number) =>
    fetch(`${o.edge}/v1/scans`, {
      method: 'POST',
      headers: { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ resortId, liftId: 12, skierId: 7, scannedAt }),
    });
  expect([(await post(1)).status, (await post(99)).status]).toEqual([202, 422]);
  const read = await fetch(`${o.rides}/v1/skiers/7/rides`, { headers: { authorization: `Bearer ${o.adminKey}` } });
  expect(read.status).toBe(200);
}

describe('every metric that they ask for is exported', { timeout: 120_000 }, () => {
  const runs: Run[] = [];
  const exported: Exported = new Map();
  let site: Installation;

  beforeAll(async () => {
    site = await startInstallation();
    const { DIRECTORY_URL = '' } = site.env;
    const deviceKey = await withDirectory(DIRECTORY_URL, async (directory) => {
      await importResorts(directory, sampleResorts());
      return (await addDevice(directory, 'gate 1')).key;
    });
    const secrets = { ADMIN_KEY: 'an-admin-key-of-the-tests', TOKEN_SECRET: 'a-token-secret-of-the-tests-32-long' };
    const urls = await Promise.all((['edge', 'worker', 'rides', 'ops'] as const).map((kind) => start(kind, secrets)));
    const [edge = '', , rides = ''] = urls;
    await makeTraffic({ edge, rides, deviceKey, adminKey: secrets.ADMIN_KEY });
    await until(
      'the worker has stored a scan',
      async () => /liftline_worker_scans_total\{.*\} 1/.test(await (await fetch(`${urls[1]}/metrics`)).text()),
      60_000,
    );
    for (const url of urls) readExported(await (await fetch(`${url}/metrics`)).text(), exported);
  }, 180_000);
  afterAll(async () => {
    for (const { child } of runs) child.kill('SIGTERM');
    for (const run of runs) await run.exit(60_000);
    await site.stop();
  });

  async function start(kind: 'edge' | 'worker' | 'rides' | 'ops', secrets: Record<string, string>): Promise<string> {
    const port = String(await freePort());
    const run = runLiftline([kind], { ...site.env, ...secrets, QUEUE_DURABILITY: 'accept-loss', PORT: port });
    runs.push(run);
    const url = `http://127.0.0.1:${port}`;
    await until(`the ${kind} is ready`, async () => (await fetch(`${url}/readyz`)).ok, 90_000);
    return url;
  }

  test.each(QUERIES)('%s', (_, expr) => {
    const { metrics, labels } = readPromql(expr);
    expect(metrics.length).toBeGreaterThan(0);
    expect(metrics.filter((metric) => !exported.has(metric))).toEqual([]);
    const known = metrics.map((metric) => exported.get(metric) ?? new Set<string>());
    if (known.some((of) => of.size === 0)) return; // it has had nothing to count yet
    expect(labels.filter((label) => !ADDED_LABELS.includes(label) && !known.some((of) => of.has(label)))).toEqual([]);
  });

  test('and one that is not exported would be found', () => {
    expect(exported.has('liftline_no_such_metric')).toBe(false);
    expect(exported.size).toBeGreaterThan(40);
  });
});
