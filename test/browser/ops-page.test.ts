import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AllInOne, startAllInOne } from '../support/all-in-one.ts';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { buryScan } from '../support/dead-letter.ts';
import { scanNo, skierOn } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { accessibilityProblems, DESKTOP, focusOf, overflowOf, PHONE, visit } from '../support/page-visitor.ts';

/** One colour behind everything. */
const PLAIN = { foot: 'var(--back)', peaks: 'var(--back)' };

describe.skipIf(!chromiumPath)('the operator’s page', () => {
  let all: AllInOne;
  let browser: Browser;
  beforeAll(async () => {
    all = await startAllInOne();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await all.stop();
  });

  async function signedIn(o: Partial<Parameters<typeof visit>[1]> = {}) {
    const visitor = await visit(browser, { url: all.url, ...o });
    await visitor.page.goto(`${all.url}/ops`);
    await visitor.page.getByLabel('Admin key').fill(all.adminKey);
    await visitor.page.getByRole('button', { name: 'Sign in' }).click();
    await visitor.page.getByRole('heading', { name: 'The pipeline' }).waitFor();
    return visitor;
  }

  const scan = (skierId: number) =>
    fetch(`${all.url}/v1/scans`, {
      method: 'POST',
      headers: { authorization: `Bearer ${all.device.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ resortId: 1, liftId: 7, skierId, scannedAt: new Date().toISOString() }),
    });

  test('shows the sums move while scans come in, without a load and without a complaint', async () => {
    const { page, complaints, elsewhere, close } = await signedIn();
    const enqueued = page.locator('.term', { hasText: 'enqueued' }).locator('b');
    const before = Number(await enqueued.textContent());
    for (let skierId = 1; skierId <= 5; skierId += 1) expect((await scan(skierId)).status).toBe(202);
    await until('they are counted', async () => Number(await enqueued.textContent()) >= before + 5);
    await page.getByText('All is well.').waitFor();
    expect([complaints, elsewhere]).toEqual([[], []]);
    await close();
  });

  test('says which node is away, and when it is back', async () => {
    const { page, close } = await signedIn();
    all.site.proxy.goSilent();
    await page.locator('.alarms', { hasText: 'Node node-2 does not answer' }).waitFor();
    await until('it is said aloud', async () => (await page.locator('#news').textContent())?.includes('node-2'));
    expect(await page.locator('.well').count()).toBe(0);
    await all.site.proxy.open();
    await page.getByText('All is well.').waitFor();
    await close();
  });

  test('a dead letter is decided about by keyboard alone', async () => {
    const letter = scanNo(7, { skierId: skierOn(0), resortId: 1, day: 1, date: '2026-01-10' });
    await buryScan(all.site.nodeUrls[0] ?? '', letter, { lane: 0, shard: 0 });
    const { page, complaints, close } = await signedIn();
    await page.locator('.alarms', { hasText: '1 dead letter' }).waitFor();
    await page.getByRole('link', { name: /^Decide/ }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Replay it' }).waitFor();
    for (let tabs = 0; tabs < 20 && (await focusOf(page)) !== 'button Replay'; tabs += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('The letter is back in its lane.').waitFor();
    await page.getByText('There are none.').waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test('a link in a chat leads to its letter, past the form', async () => {
    const letter = scanNo(9, { skierId: skierOn(0), resortId: 1, day: 1, date: '2026-01-10' });
    const id = await buryScan(all.site.nodeUrls[0] ?? '', letter, { lane: 0, shard: 0 });
    const { page, close } = await signedIn();
    await page.route('http://chat.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<a href="${all.url}/ops/letters/${id}">A scan has died</a>` }),
    );
    await page.goto('http://chat.example/');
    await page.getByRole('link', { name: 'A scan has died' }).click();
    await page.getByLabel('Admin key').fill('not-the-admin-key-of-the-tests'); // Strict: the cookie did not come along
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is not the admin key.').waitFor();
    await page.getByLabel('Admin key').fill(all.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Discard it' }).waitFor();
    expect(page.url()).toBe(`${all.url}/ops/letters/${id}`);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByText('The letter is discarded.').waitFor();
    await close();
  });

  test('works without script, and signs out', async () => {
    const { page, close } = await signedIn({ script: false });
    await page.getByText('node-1').waitFor();
    expect(await page.locator('meta[http-equiv=refresh]').count()).toBe(0);
    await page.getByRole('link', { name: 'Look again' }).click();
    await page.getByRole('heading', { name: 'The pipeline' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${all.url}/ops`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await close();
  });

  test.each([
    ['light', DESKTOP],
    ['dark', DESKTOP],
    ['light', PHONE],
    ['dark', PHONE],
  ] as const)(
    'axe finds nothing wrong, %s, %j, and nothing is wider than the window',
    async (colorScheme, viewport) => {
      const letter = scanNo(8, { skierId: skierOn(0), resortId: 1, day: 1, date: '2026-01-10' });
      const id = await buryScan(all.site.nodeUrls[0] ?? '', letter, { lane: 0, shard: 0 });
      const { page, close } = await signedIn({ colorScheme, viewport });
      for (const path of ['/ops', `/ops/letters/${id}`]) {
        await page.goto(`${all.url}${path}`);
        expect([path, await accessibilityProblems(page, PLAIN)]).toEqual([path, []]);
        expect([path, await overflowOf(page)]).toEqual([path, 0]);
      }
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      expect(await accessibilityProblems(page, PLAIN)).toEqual([]);
      await close();
    },
  );
});
