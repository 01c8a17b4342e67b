import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { accessibilityProblems, DESKTOP, PHONE, type PageVisitor, visit } from '../support/page-visitor.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';

const SKIER = 61;
const PAGES = [
  '/app',
  '/app?season=2021',
  '/app/days/2025-12-20',
  '/app/days/2025-12-24',
  '/app/nothing',
  '/app/resorts',
  '/resorts/1?date=2025-12-20',
  '/resorts/1?date=2025-12-21',
  '/app/sign-in',
  '/app/sign-in?token=none',
];

/** Many rides at many lifts and hours: every depth of colour. */
function busyDay(): Parameters<ReadSide['store']>[0] {
  return Array.from({ length: 120 }, (_, i) => ({
    skierId: i % 3 === 0 ? SKIER : 1_000 + i,
    liftId: 1 + (i % 2 === 0 ? i % 5 : i % 31),
    at: new Date(Date.UTC(2025, 11, 20, 8, (i * 17) % 480)).toISOString(),
  }));
}

describe.skipIf(!chromiumPath)('the pages, looked at by axe', () => {
  let side: ReadSide;
  let browser: Browser;
  beforeAll(async () => {
    side = await startReadSide({ listen: true });
    const days = [300, 900, 2_000, 4_000].map((verticalM, i) => ({
      skierId: SKIER,
      liftId: verticalM / 100,
      at: `2025-12-${25 + i}T09:00:00Z`,
    }));
    await side.store([...busyDay(), ...days]);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await side.stop();
  });

  async function signedIn(o: { colorScheme: 'light' | 'dark'; viewport: typeof PHONE }): Promise<PageVisitor> {
    const visitor = await visit(browser, { url: side.url, ...o });
    await visitor.page.goto(`${side.url}/app/sign-in?token=${await side.token(SKIER)}`);
    return visitor;
  }

  test.each([
    ['light', 'desktop'],
    ['light', 'phone'],
    ['dark', 'desktop'],
    ['dark', 'phone'],
  ] as const)(
    'nothing is wrong with any of them, %s, %s',
    async (colorScheme, size) => {
      const { page, close } = await signedIn({ colorScheme, viewport: size === 'phone' ? PHONE : DESKTOP });
      const problems: Record<string, string[]> = {};
      for (const path of PAGES) {
        await page.goto(side.url + path);
        const found = await accessibilityProblems(page);
        if (found.length > 0) problems[path] = found;
      }
      expect(problems).toEqual({});
      await close();
    },
    120_000,
  );

  test('one that is wrong would be found', async () => {
    const { page, close } = await signedIn({ colorScheme: 'light', viewport: DESKTOP });
    await page.goto(`${side.url}/app`);
    await page.evaluate(`document.querySelector('.as-of').style.color = '#bbb';
      document.querySelector('.day a').removeAttribute('aria-label');
      document.querySelector('h1').remove();
      document.querySelector('main').insertAdjacentHTML('beforeend', '<img src="data:,">')`);
    const found = (await accessibilityProblems(page)).map((line) => line.split(':')[0]);
    expect(found).toEqual(expect.arrayContaining(['color-contrast', 'image-alt', 'page-has-heading-one']));
    await close();
  });

  test('when a node is away, too', async () => {
    const { page, close } = await signedIn({ colorScheme: 'dark', viewport: PHONE });
    for (const proxy of side.proxies.values()) await proxy.close();
    for (const path of ['/app/days/2025-12-20', '/resorts/1?date=2025-12-20']) {
      const reply = await page.goto(side.url + path);
      expect(reply?.status()).toBe(503);
      expect(await accessibilityProblems(page)).toEqual([]);
    }
    await close();
  });
});
