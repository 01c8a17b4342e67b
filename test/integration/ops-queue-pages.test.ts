import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createHttpApp, replaceableApp } from '../../src/cli/http-app.ts';
import { queuePages } from '../../src/ops/queue-pages.ts';
import { listen } from '../../src/platform/http-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { problemOf } from '../support/replies.ts';
import { describeQueues, lane0Of, scansOf, type Site } from './queue-backends.ts';

const ADMIN_KEY = 'an-admin-key-of-the-tests:%C3%BC';
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
const OPERATOR = basic('operator', ADMIN_KEY);

interface Queues {
  queues: {
    name: string;
    readOnlyMode: boolean;
    counts: Record<string, number>;
    jobs: { id: string; data: unknown }[];
  }[];
}

/** The pages as `liftline ops` serves them, on the site's lanes. */
async function serve(site: Site, pathPrefix = ''): Promise<string> {
  const { logger, lifecycle } = site;
  const pages = queuePages({ ...site, adminKey: ADMIN_KEY, pathPrefix });
  const metrics = createMetrics('ops');
  const app = createHttpApp({ apps: [pages], ready: () => true, metrics, logger, pathPrefix });
  const server = { host: '127.0.0.1', port: 0, logger, lifecycle, name: 'ops', pathPrefix };
  return (await listen(replaceableApp(app), server)).url;
}

describeQueues('the pages of the queue', (site) => {
  let url: string;
  let jobId: string;
  beforeEach(async () => {
    const producer = await openProducer(site());
    ({ jobId } = await producer.enqueue(0, scansOf(3)));
    url = await serve(site());
  });
  const ask = (method: string, path: string, authorization: string | undefined = OPERATOR) =>
    fetch(`${url}${path}`, { method, redirect: 'manual', headers: { authorization } });

  test('show every lane and its jobs', async () => {
    const page = await ask('GET', '/ops/queues');
    expect(page.status).toBe(200);
    const { queues } = (await (
      await ask('GET', '/ops/queues/api/queues?activeQueue=lane-0&status=waiting')
    ).json()) as Queues;
    expect(queues.map(({ name, readOnlyMode }) => [name, readOnlyMode])).toEqual([
      ['lane-0', true],
      ['lane-1', true],
    ]);
    expect(queues[0]?.counts.waiting).toBe(1);
    expect(queues[0]?.jobs).toMatchObject([{ id: jobId, data: { v: 1, n: 3 } }]);
  });

  test('nothing of them comes from elsewhere', async () => {
    const page = await (await ask('GET', '/ops/queues')).text();
    const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => /^(https?:)?\/\//.test(link))).toEqual([]);
    const script = links.find((link) => link.endsWith('.js')) ?? '';
    const asset = await ask('GET', `/ops/queues/${script}`);
    expect([asset.status, asset.headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
    expect((await ask('GET', '/ops/queues/static/js/none.js')).status).toBe(404);
  });

  test.skipIf(!chromiumPath)('a browser shows the lanes, behind a prefix too', async () => {
    const behind = await serve(site(), '/Server_war');
    const browser = await launchChromium();
    try {
      const page = await browser.newPage({ httpCredentials: { username: 'operator', password: ADMIN_KEY } });
      const strangers: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(behind) && !request.url().startsWith('data:')) strangers.push(request.url());
      });
      await page.goto(`${behind}/Server_war/ops/queues`);
      await page.getByText('lane-0').first().waitFor();
      await page.getByText('lane-1').first().waitFor();
      expect(strangers).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test.each(['PUT', 'POST', 'PATCH', 'DELETE'])('can not be made to change anything: %s is refused', async (method) => {
    const before = await lane0Of(site())();
    for (const path of [
      `lane-0/${jobId}/clean`,
      `lane-0/${jobId}/retry/failed`,
      'lane-0/empty',
      'lane-0/pause',
      'lane-0/add',
    ]) {
      expect(await problemOf(await ask(method, `/ops/queues/api/queues/${path}`))).toEqual([405, 'method_not_allowed']);
    }
    expect(await lane0Of(site())()).toEqual({ ...before, takenAt: expect.any(Number) as number });
  });
});

describe('who may see the pages', () => {
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const away = { queueUrl: 'redis://127.0.0.1:1', queuePrefix: 'none', laneCount: 1, logger, lifecycle };
  const pages = queuePages({ ...away, adminKey: ADMIN_KEY, pathPrefix: '' });
  const app = createHttpApp({
    apps: [pages],
    ready: () => true,
    metrics: createMetrics('ops'),
    logger,
    pathPrefix: '',
  });
  afterAll(() => lifecycle.stop(5_000));
  const ask = async (path: string, authorization?: string) =>
    app.request(`/ops/queues${path}`, authorization === undefined ? {} : { headers: { authorization } });

  test.each([
    ['as password of any user', basic('anybody', ADMIN_KEY)],
    ['as password without a user', basic('', ADMIN_KEY)],
    ['as bearer', 'Bearer an-admin-key-of-the-tests:%C3%BC'],
  ])('the admin key opens them %s; without a queue they say so', async (_, authorization) => {
    expect(await problemOf(await ask('', authorization))).toEqual([503, 'queue_unavailable']);
  });

  test.each([
    ['nothing', undefined],
    ['another password', basic('operator', 'guessed')],
    ['the key as user', basic(ADMIN_KEY, '')],
    ['no base64', 'Basic %%%'],
    ['another bearer', 'Bearer guessed'],
  ])('%s does not, and a browser is asked for a password', async (_, authorization) => {
    for (const path of ['', '/', '/api/queues', '/static/js/x.js']) {
      const response = await ask(path, authorization);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
  });

  test('a slash at the end leads to the page', async () => {
    const slash = await ask('/', OPERATOR);
    expect([slash.status, slash.headers.get('location')]).toEqual([301, '../queues']);
  });
});
