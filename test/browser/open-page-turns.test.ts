import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { focusOf, type PageVisitor, visit } from '../support/page-visitor.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { until } from '../support/until.ts';

const SKIER = 95;
const DATE = '2025-12-20';

describe.skipIf(!chromiumPath)('a page that is open', () => {
  let side: ReadSide;
  let browser: Browser;
  let visitor: PageVisitor;
  let page: Page;
  beforeAll(async () => {
    side = await startReadSide({ listen: true });
    await side.store([{ skierId: SKIER, resortId: 3, liftId: 40, at: `${DATE}T08:10:00Z` }]);
    browser = await launchChromium();
  });
  beforeEach(async () => {
    visitor = await visit(browser, { url: side.url });
    ({ page } = visitor);
  });
  afterEach(() => visitor.close());
  afterAll(async () => {
    await browser.close();
    await side.stop();
  });

  /** From now on the resort's today is another day. */
  async function turnDay(): Promise<void> {
    await page.route('**/resorts/3', async (route) =>
      route.fulfill({ response: await route.fetch({ url: `${side.url}/resorts/3?date=${DATE}` }) }),
    );
  }
  async function untilTurned(): Promise<void> {
    await until('the page has looked again', async () => {
      await page.clock.fastForward(10_000);
      return page.getByText('Saturday, 20 December 2025').isVisible();
    });
  }

  describe('of a resort’s day, when another day begins', () => {
    beforeEach(async () => {
      await page.clock.install();
      await page.goto(`${side.url}/resorts/3`);
      await page.getByText('No rides on this day.').waitFor();
      await turnDay();
    });

    test('is of that day: numbers, date, title, steps and the date field', async () => {
      await untilTurned();
      expect(await page.title()).toBe('Piz Alvra, Sat 20 Dec · Liftline');
      expect(await page.getByRole('rowheader', { name: 'Lai Nair Express' }).isVisible()).toBe(true);
      expect(await page.getByRole('link', { name: 'Day before: Fri 19 Dec' }).isVisible()).toBe(true);
      expect(await page.getByLabel('Date').inputValue()).toBe(DATE);
      expect(visitor.complaints).toEqual([]);
    });

    test('the date field stays as it is for as long as somebody uses it', async () => {
      const field = page.getByLabel('Date');
      await field.fill('2025-11-11');
      await untilTurned();
      expect([await focusOf(page), await field.inputValue()]).toEqual(['input Date', '2025-11-11']);
      await page.getByRole('link', { name: 'My season' }).focus();
      await until('the field has the new day', async () => {
        await page.clock.fastForward(10_000);
        return (await field.inputValue()) === DATE;
      });
    });

    test('the focus stays on the step that it was on', async () => {
      await page.getByRole('link', { name: /^Day before/ }).focus();
      await untilTurned();
      expect(await focusOf(page)).toContain('Day before: Fri 19 Dec');
    });
  });

  test('of the newest season becomes that of the next one with its first ride', async () => {
    await page.goto(`${side.url}/app/sign-in?token=${await side.token(SKIER)}`);
    await page.locator('body.is-live').waitFor();
    expect(await page.title()).toBe('Season 2025 · Liftline');
    await side.store([{ skierId: SKIER, resortId: 3, liftId: 30, seasonDay: { season: 2026, day: 1, minutes: 600 } }]);
    await page.getByRole('heading', { name: 'Season 2026', level: 1 }).waitFor();
    expect(await page.title()).toBe('Season 2026 · Liftline');
    expect(await page.locator('main').getAttribute('data-shows')).toBe('season 2026');
    expect(await page.getByRole('definition').first().textContent()).toBe('300 m');

    await side.store([{ skierId: SKIER, resortId: 3, liftId: 20, seasonDay: { season: 2026, day: 1, minutes: 630 } }]);
    await page.getByRole('definition').filter({ hasText: '500 m' }).waitFor();
    expect(visitor.complaints).toEqual([]);
  });

  test('of a season that was asked for stays that', async () => {
    const skierId = SKIER + 1;
    await side.store([{ skierId, liftId: 40, at: `${DATE}T08:10:00Z` }]);
    await page.goto(`${side.url}/app/sign-in?token=${await side.token(skierId)}`);
    await page.goto(`${side.url}/app?season=2025`);
    await page.locator('body.is-live').waitFor();
    await side.store([{ skierId, liftId: 30, seasonDay: { season: 2026, day: 1, minutes: 600 } }]);
    await side.store([{ skierId, liftId: 20, at: `${DATE}T09:10:00Z` }]);
    await page.getByRole('definition').filter({ hasText: '600 m' }).waitFor();
    await expect.poll(() => page.getByRole('status').textContent()).toMatch(/^New ride: .*, 10:10$/);
    expect(await page.locator('main').getAttribute('data-shows')).toBe('season 2025');
  });
});
