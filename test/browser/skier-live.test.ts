import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AllInOne, startAllInOne } from '../support/all-in-one.ts';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { focusOf, type PageVisitor, visit } from '../support/page-visitor.ts';
import { until } from '../support/until.ts';

function untilLive(page: Page): Promise<void> {
  return page.locator('body.is-live').waitFor();
}

const MINUTE_MS = 60_000;
const localDate = (ms: number) => new Date(ms).toLocaleDateString('en', { timeZone: 'Europe/Zurich' });

/** Now; or ten minutes ago, when a day has just begun: what one test scans is of one day. @param agoMs before that */
function recently(agoMs = 0): Date {
  const now = Date.now();
  const hasJustBegun = localDate(now - 5 * MINUTE_MS) !== localDate(now);
  return new Date(now - (hasJustBegun ? 10 * MINUTE_MS : 0) - agoMs);
}

describe.skipIf(!chromiumPath)('a skier’s page that is open while gates read the pass', () => {
  let liftline: AllInOne;
  let browser: Browser;
  let skierId = 70;
  beforeAll(async () => {
    liftline = await startAllInOne();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await liftline.stop();
  });

  /** A gate sends a scan. */
  async function scan(liftId: number, at = recently()): Promise<void> {
    const body = JSON.stringify({ resortId: 1, liftId, skierId, scannedAt: at.toISOString() });
    const headers = { authorization: `Bearer ${liftline.device.key}`, 'content-type': 'application/json' };
    const reply = await fetch(`${liftline.url}/v1/scans`, { method: 'POST', headers, body });
    expect(reply.status).toBe(202);
  }

  /** A skier whom no other test knows opens the page of a season and waits until it is live. */
  async function openSeason(): Promise<PageVisitor> {
    skierId += 1;
    const visitor = await visit(browser, { url: liftline.url });
    await visitor.page.goto(`${liftline.url}/app/sign-in?token=${await liftline.token(skierId)}`);
    await untilLive(visitor.page);
    return visitor;
  }

  const stored = (rides: number) =>
    until('the rides are stored', async () => {
      const headers = { authorization: `Bearer ${liftline.adminKey}` };
      const reply = await fetch(`${liftline.url}/v1/skiers/${skierId}/rides`, { headers });
      return ((await reply.json()) as { rides: unknown[] }).rides.length === rides;
    });

  test('the first ride of a season appears by itself, and is told to those who can’t see it', async () => {
    const { page, complaints, elsewhere, close } = await openSeason();
    await page.getByText('The snow is still untouched.').waitFor();
    await scan(7);
    await page.getByText('Last lift: Steinboden Gondelbahn').waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: /^New ride: Steinboden Gondelbahn, \d\d:\d\d$/ })
      .waitFor();
    expect(await page.getByRole('term').allTextContents()).toEqual(['Vertical', 'Day', 'Ride']);
    expect(await page.getByRole('definition').first().textContent()).toBe('70 m');

    await scan(10, recently(MINUTE_MS));
    await page.getByRole('definition').filter({ hasText: '170 m' }).waitFor();
    await page.getByText(/^Complete up to \d\d:\d\d CES?T\./).waitFor();
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('on the page of the day it comes on top of the rides, and the focus stays where it was', async () => {
    const { page, complaints, close } = await openSeason();
    await scan(7, recently(2 * MINUTE_MS));
    await page.getByRole('region', { name: 'Latest day' }).getByRole('link').click();
    await untilLive(page);
    const resort = page.getByRole('link', { name: 'Sonnkogel Arena' });
    await resort.focus();
    await scan(8);
    await page.getByRole('row', { name: /Kaserer Gondelbahn/ }).waitFor();
    const rows = await page.getByRole('table').getByRole('rowheader').allTextContents();
    expect(rows).toEqual(['Kaserer Gondelbahn', 'Steinboden Gondelbahn']);
    expect(await page.locator('tr.is-new').count()).toBe(1);
    expect(await focusOf(page)).toBe('a Sonnkogel Arena');
    expect(complaints).toEqual([]);
    await close();
  });

  test('a ride of another day leaves that page as it is', async () => {
    const { page, close } = await openSeason();
    await scan(7);
    await page.getByRole('region', { name: 'Latest day' }).getByRole('link').click();
    await untilLive(page);
    await scan(8, recently(3 * 1_440 * MINUTE_MS));
    await stored(2);
    await scan(9);
    await page.getByRole('row', { name: /Hochalm Sesselbahn/ }).waitFor();
    expect(await page.getByRole('table').getByRole('rowheader').count()).toBe(2);
    await page
      .getByRole('status')
      .filter({ hasText: /^New ride: Hochalm Sesselbahn, \d\d:\d\d$/ })
      .waitFor();
    await close();
  });

  test('whoever wants it to hold still switches it off; switched on it has what was missed', async () => {
    const { page, close } = await openSeason();
    const live = page.getByRole('button', { name: 'Live' });
    await live.press('Enter');
    expect(await live.getAttribute('aria-pressed')).toBe('false');
    await page.locator('body:not(.is-live)').waitFor();
    await scan(7);
    await stored(1);
    expect(await page.getByText('The snow is still untouched.').isVisible()).toBe(true);
    await live.press('Enter');
    await page.getByText('Last lift: Steinboden Gondelbahn').waitFor();
    await close();
  });

  test('without motion for those who want none', async () => {
    const { page, close } = await openSeason();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await scan(7);
    await page.locator('.newest.is-new').waitFor();
    expect(await page.evaluate("getComputedStyle(document.querySelector('.newest')).animationName")).toBe('none');
    await close();
  });

  test('who is signed out elsewhere is asked to sign in', async () => {
    const { page, context, close } = await openSeason();
    await context.clearCookies();
    await scan(7);
    expect(await page.getByLabel('Token').isEditable()).toBe(true);
    expect(page.url()).toBe(`${liftline.url}/app/sign-in`);
    await close();
  });

  test('a resort’s day counts on', async () => {
    skierId += 1;
    const { page, complaints, close } = await visit(browser, { url: liftline.url });
    await page.clock.install();
    await page.goto(`${liftline.url}/resorts/9`); // where nobody has been yet
    await page.getByText('No rides on this day.').waitFor();
    const body = JSON.stringify({ resortId: 9, liftId: 1, skierId, scannedAt: new Date().toISOString() });
    const headers = { authorization: `Bearer ${liftline.device.key}`, 'content-type': 'application/json' };
    await fetch(`${liftline.url}/v1/scans`, { method: 'POST', headers, body });
    await stored(1);
    await until('the page has looked again', async () => {
      await page.clock.fastForward(10_000); // its own clock; what it has asked for a moment ago is kept for 5 s of ours
      return page.getByRole('rowheader', { name: 'Hawk Saddle Gondola' }).isVisible();
    });
    expect(complaints).toEqual([]);
    await close();
  });
});
