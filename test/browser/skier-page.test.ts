import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import {
  DESKTOP,
  focusOf,
  overflowOf,
  type PageVisitor,
  type PageVisitorOptions,
  visit,
} from '../support/page-visitor.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';

const SKIER = 51;

describe.skipIf(!chromiumPath)('a skier’s page in a real browser', () => {
  let side: ReadSide;
  let browser: Browser;
  const visitors: PageVisitor[] = [];
  beforeAll(async () => {
    side = await startReadSide({ listen: true, cacheBytes: 1_000_000, pathPrefix: '/Server_war' });
    await side.store([
      { skierId: SKIER, liftId: 30, at: '2025-12-20T08:10:00Z' },
      { skierId: SKIER, liftId: 40, at: '2025-12-20T09:20:00Z' },
      { skierId: SKIER, liftId: 40, at: '2025-12-21T10:00:00Z' },
    ]);
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.close();
  });
  afterAll(async () => {
    await browser.close();
    await side.stop();
  });

  async function arrive(o: Partial<PageVisitorOptions> = {}): Promise<PageVisitor> {
    const visitor = await visit(browser, { url: side.url, ...o });
    visitors.push(visitor);
    return visitor;
  }
  /** Signs in by a link. */
  async function signIn(
    o: Partial<PageVisitorOptions> & { skierId?: number; prefix?: string } = {},
  ): Promise<PageVisitor> {
    const { skierId = SKIER, prefix = '', ...rest } = o;
    const visitor = await arrive(rest);
    await visitor.page.goto(`${side.url}${prefix}/app/sign-in?token=${await side.token(skierId)}`);
    return visitor;
  }

  test('a link signs in; the token is in no address afterwards, and no script can see it', async () => {
    const { page, context, complaints, elsewhere } = await signIn();
    expect(page.url()).toBe(`${side.url}/app`);
    await page.getByRole('heading', { name: 'Season 2025', level: 1 }).waitFor();
    expect(await page.getByText('1,100 m').first().isVisible()).toBe(true);
    expect(await context.cookies()).toMatchObject([{ path: '/app', httpOnly: true, sameSite: 'Lax' }]);
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await page.evaluate('performance.getEntriesByType("navigation")[0].name')).not.toContain('token');

    await page.getByRole('link', { name: 'Sunday, 21 December 2025: 1 ride, 400 m' }).click();
    await page.getByRole('heading', { name: 'Sunday, 21 December 2025' }).waitFor();
    await page.getByRole('link', { name: 'Day before: Sat 20 Dec' }).click();
    await page.getByRole('table', { name: 'Rides, newest first' }).waitFor();
    expect(await page.getByRole('img', { name: '700 m climbed in 2 rides, from 09:10 to 10:20' }).isVisible()).toBe(
      true,
    );
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('the form signs in, and out again; a bad token is told, kindly', async () => {
    const { page, context, complaints } = await arrive();
    await page.goto(`${side.url}/app/days/2025-12-20`);
    await page.getByLabel('Token').fill('not-a-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('This token is not valid');
    expect(await context.cookies()).toEqual([]);

    await page.getByLabel('Token').fill(await side.token(SKIER));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${side.url}/app/days/2025-12-20`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${side.url}/app/sign-in`);
    expect(await context.cookies()).toEqual([]);
    await page.goto(`${side.url}/app`);
    expect(page.url()).toBe(`${side.url}/app/sign-in`);
    expect(complaints).toEqual([expect.stringContaining('401')]); // of the bad token
  });

  test('behind a prefix every link leads on, and the cookie stays there', async () => {
    const { page, context, complaints } = await signIn({ prefix: '/Server_war' });
    const base = `${side.url}/Server_war`;
    expect(page.url()).toBe(`${base}/app`);
    expect(await context.cookies()).toMatchObject([{ path: '/Server_war/app' }]);
    await page
      .getByRole('table', { name: 'December 2025' })
      .getByRole('link', { name: /20 December/ })
      .click();
    await page.waitForURL(`${base}/app/days/2025-12-20`);
    await page.getByRole('link', { name: 'Sonnkogel Arena' }).click();
    await page.waitForURL(`${base}/resorts/1?date=2025-12-20`);
    await page.getByRole('link', { name: 'My season' }).click();
    await page.waitForURL(`${base}/app`);
    await page.getByRole('link', { name: 'Resorts' }).click();
    await page.getByRole('link', { name: 'Val Ferrand' }).click();
    await page.waitForURL(`${base}/resorts/2`);
    expect(complaints).toEqual([]);
  });

  test('an empty season says so, and where there are rides', async () => {
    const { page } = await signIn();
    await page.goto(`${side.url}/app?season=2021`);
    await page.getByText('No rides in season 2021.').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'season 2025' }).click();
    await page.getByRole('heading', { name: 'Season 2025' }).waitFor();
    const newcomer = await signIn({ skierId: 4_712 });
    await newcomer.page.getByText('The snow is still untouched.').waitFor();
    expect(newcomer.complaints).toEqual([]);
  });

  test.each([
    [320, 'en-GB'],
    [320, 'en-US'],
    [360, 'de-CH'],
    [768, 'en-US'],
  ])('nothing is wider than a window of %i pixels, %s', async (width, locale) => {
    const { page } = await signIn({ viewport: { width, height: 640 }, locale });
    for (const path of [
      '/app',
      '/app/days/2025-12-20',
      '/app/resorts',
      '/resorts/1?date=2025-12-20',
      '/app/days/2020-01-01',
    ]) {
      await page.goto(side.url + path);
      expect([path, await overflowOf(page)]).toEqual([path, 0]);
    }
    await page.goto(`${side.url}/app`);
    const link = await page.locator('.day a').first().boundingBox();
    expect(Math.min(link?.width ?? 0, link?.height ?? 0)).toBeGreaterThanOrEqual(24); // WCAG 2.2, target size
  });

  test('by keyboard alone: past the menu, to a day, and its focus can be seen', async () => {
    const { page } = await signIn();
    await page.goto(`${side.url}/app`);
    await page.keyboard.press('Tab');
    expect(await focusOf(page)).toBe('a Skip to content');
    await page.keyboard.press('Enter');
    const walked: string[] = [];
    for (let i = 0; i < 8; i += 1) {
      await page.keyboard.press('Tab');
      walked.push(await focusOf(page));
    }
    expect(walked[0]).toMatch(/^a 20\d\d$/); // the first season, not the menu
    const day = walked.findIndex((name) => name.startsWith('a Saturday, 20 December 2025'));
    expect(walked).toContain('button Live');
    expect(day).toBeGreaterThan(0);
    for (let i = walked.length - 1; i > day; i -= 1) await page.keyboard.press('Shift+Tab');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(/days\/2025-12-20$/);
  });

  test('without script everything can be read, and nothing is offered that needs it', async () => {
    const { page } = await arrive({ script: false });
    await page.goto(`${side.url}/app`);
    await page.getByLabel('Token').fill(await side.token(SKIER));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Season 2025' }).waitFor();
    expect(await page.getByRole('button', { name: 'Live' }).count()).toBe(0);
    await page
      .getByRole('link', { name: 'Saturday, 20 December 2025 ›' })
      .or(page.getByRole('link', { name: /20 December/ }))
      .first()
      .click();
    expect(await page.getByRole('row').filter({ hasText: '700 m' }).count()).toBe(1);
    await page.goto(`${side.url}/resorts/1?date=2025-12-20`);
    expect(await page.getByRole('table', { name: /Rides of each lift/ }).isVisible()).toBe(true);
  });

  test('in feet and with Sunday first for an American', async () => {
    const { page } = await signIn({ locale: 'en-US', viewport: DESKTOP });
    expect(await page.getByText('3,609 ft').first().isVisible()).toBe(true);
    const columns = await page
      .getByRole('table', { name: 'December 2025' })
      .getByRole('columnheader')
      .allTextContents();
    expect(columns[0]).toContain('Sunday');
  });

  test('a node that is away: the page says so, keeps its frame, and comes by itself once it can', async () => {
    const { page } = await signIn();
    const away = side.proxies.get(side.nodeOf(SKIER).nodeId);
    await away?.close();
    const reply = await page.goto(`${side.url}/app/days/2025-12-19`);
    expect(reply?.status()).toBe(503);
    await page.getByRole('heading', { name: 'This can’t be read just now' }).waitFor();
    expect(await page.getByRole('link', { name: 'Try again' }).isVisible()).toBe(true);
    expect(await page.getByRole('navigation', { name: 'Main' }).isVisible()).toBe(true);
    await away?.open();
    await page.getByText('No rides on this day.').waitFor({ timeout: 20_000 });
  });
});
