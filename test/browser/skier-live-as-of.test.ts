import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { type PageVisitor, visit } from '../support/page-visitor.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { until } from '../support/until.ts';

const SKIER = 91;
const BEFORE = '2026-01-10T10:59:00.000Z';
const NOON = '2026-01-10T11:00:00.000Z';
const LATER = '2026-01-10T11:05:00.000Z';
const EMPTY = 'The snow is still untouched.';

/** What a page says: up to when it is complete, whether it is stale, and what is on it. */
interface Said {
  asOf: string;
  isStale?: boolean;
  text?: string;
}

type Answer = Said | 'none' | 'refused';

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const HELLO = event('hello', { asOf: NOON });
const RIDE = event('ride', { liftName: 'Plaun 6er', date: '2026-01-01', season: '2099', scannedAt: BEFORE });
const TOLD = event('asOf', { asOf: LATER });

/** The page as the server makes it, but for what it says. */
async function give(route: Route, { asOf, isStale = false, text = EMPTY }: Said): Promise<void> {
  const response = await route.fetch();
  const stale = isStale ? '<strong class="stale">Not up to date.</strong> ' : '';
  const sentence = `<p class="as-of">${stale}Complete up to <time datetime="${asOf}" data-zone="UTC">then</time>.</p>`;
  const html = (await response.text()).replace(/<p class="as-of">[^]*?<\/p>/, sentence).replace(EMPTY, text);
  await route.fulfill({ response, body: html });
}

describe.skipIf(!chromiumPath)('up to when a skier’s open page says that it is complete', () => {
  let side: ReadSide;
  let browser: Browser;
  let visitor: PageVisitor;
  let page: Page;
  /** redraws that were asked for and are not answered yet */
  const asked: { answer: (answer: Answer) => Promise<void> }[] = [];
  let count = 0;
  beforeAll(async () => {
    side = await startReadSide({ listen: true });
    browser = await launchChromium();
  });
  beforeEach(async () => {
    asked.length = 0;
    count = 0;
    visitor = await visit(browser, { url: side.url });
    ({ page } = visitor);
    const value = await side.token(SKIER);
    await visitor.context.addCookies([{ name: 'liftline_skier', value, domain: '127.0.0.1', path: '/app' }]);
  });
  afterEach(async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await visitor.close();
  });
  afterAll(async () => {
    await browser.close();
    await side.stop();
  });

  /** Opens a page that is of a minute before noon, and hears these events at once. */
  async function open(events: string): Promise<void> {
    await page.route('**/app/live', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: `retry: 600000\n${events}` }),
    );
    await page.route('**/app', async (route) => {
      if (route.request().resourceType() !== 'fetch') return give(route, { asOf: BEFORE });
      count += 1;
      const answer = async (said: Answer) => {
        if (said === 'none') await route.abort();
        else if (said === 'refused') await route.fulfill({ status: 503 });
        else await give(route, said);
      };
      asked.push({ answer });
    });
    await page.goto(`${side.url}/app`);
  }

  /** Waits until the next redraw is asked for; what was answered before is shown then. */
  const next = () => until('the page is asked for', () => asked.shift(), 15_000);
  const shown = () => page.locator('.as-of time').getAttribute('datetime');

  test.each<[string, string, Answer]>([
    ['does not come', HELLO, 'none'],
    ['is refused', HELLO, 'refused'],
    ['is stale', HELLO, { asOf: NOON, isStale: true }],
    ['is of an earlier time', HELLO, { asOf: BEFORE }],
    [
      'is of an earlier time than a reset',
      event('hello', { asOf: BEFORE }) + event('reset', { asOf: NOON }),
      { asOf: BEFORE },
    ],
    ['does not come, when nobody knew at the beginning,', event('hello', { asOf: null }), 'none'],
  ])(
    'a redraw that %s lets no later time be shown: the next one that knows enough does',
    async (_how, events, first) => {
      await open(events + TOLD);
      const redraw = await next();
      expect(await shown()).toBe(BEFORE);
      await redraw.answer(first);
      const second = await next();
      expect(await shown()).toBe(typeof first === 'object' ? first.asOf : BEFORE);
      expect(await page.locator('.as-of .stale').count()).toBe(typeof first === 'object' && first.isStale ? 1 : 0);
      await second.answer({ asOf: NOON });
      await expect.poll(shown).toBe(LATER);
    },
  );

  test('pauses are longer each time', async () => {
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await open(HELLO);
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000]) {
      await (await next()).answer('refused');
      let waitedMs = 0;
      await until('the page is asked for again', async () => {
        await page.clock.runFor(500);
        waitedMs += 500;
        return asked.length > 0;
      });
      expect(waitedMs).toBeGreaterThanOrEqual(pauseMs);
    }
  });

  test('one redraw at a time: what is heard meanwhile is asked for afterwards', async () => {
    await page.clock.install();
    await open(HELLO + RIDE);
    const first = await next();
    await page.clock.runFor(1_000);
    expect(count).toBe(1);
    await first.answer({ asOf: NOON, text: 'Page one' });
    await page.getByText('Page one').waitFor();
    await (await next()).answer({ asOf: NOON, text: 'Page two' });
    await page.getByText('Page two').waitFor();
    expect(count).toBe(2);
  });

  test('a page that knows less than the one before takes no place, and is asked for again', async () => {
    await open(HELLO + RIDE);
    await (await next()).answer({ asOf: NOON, text: 'Page one' });
    await (await next()).answer({ asOf: BEFORE, text: 'Of another process' });
    const third = await next();
    expect(await page.getByText('Page one').isVisible()).toBe(true);
    await third.answer({ asOf: LATER, text: 'Page three' });
    await page.getByText('Page three').waitFor();
  });

  test('a ride that the page does not show holds it back, until the page says so much itself', async () => {
    await open(event('hello', { asOf: BEFORE }) + RIDE + TOLD);
    for (let i = 0; i < 5; i += 1) await (await next()).answer({ asOf: NOON });
    const last = await next();
    expect(await shown()).toBe(NOON);
    await last.answer({ asOf: LATER });
    await expect.poll(shown).toBe(LATER);
  });
});
