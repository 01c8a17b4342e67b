import { Hono } from 'hono';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { describeRoute } from 'hono-openapi';
import { listen } from '../../src/platform/http-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { apiDocs, routeDoc } from '../../src/platform/openapi.ts';
import { chromiumPath, launchChromium } from '../support/chromium.ts';

describe.skipIf(!chromiumPath)('the docs page in a real browser', () => {
  const logger = createLogger({ level: 'silent', process: 'test' });
  const lifecycle = new Lifecycle({ logger });
  let url: string;
  let browser: Browser;

  beforeAll(async () => {
    const app = new Hono();
    app.get(
      '/v1/lifts',
      describeRoute(routeDoc({ summary: 'Every lift', tag: 'lifts', reply: z.object({ lifts: z.int() }) })),
    );
    app.route('/', apiDocs({ of: app, version: '1', pathPrefix: '' }));
    ({ url } = await listen(app, { host: '127.0.0.1', port: 0, logger, lifecycle, name: 'docs' }));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await lifecycle.stop(5_000);
  });

  test('shows the routes, asks no other server, and leaves the console clean', async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) elsewhere.push(request.url());
    });

    await page.goto(`${url}/docs`);
    await page.getByText('Every lift').waitFor();
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
