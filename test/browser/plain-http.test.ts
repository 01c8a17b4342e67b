import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { type PageVisitor, visit } from '../support/page-visitor.ts';
import { type ReadSide, startReadSide } from '../support/read-side.ts';

const SKIER = 81;
/** A name that browsers do not trust over http, as they do localhost: they leave `Sec-Fetch-Site` out. */
const NAME = 'liftline.test';

describe.skipIf(!chromiumPath)('the pages over plain http, away from localhost', () => {
  let side: ReadSide;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    side = await startReadSide({ listen: true });
    url = side.url.replace('127.0.0.1', NAME);
    browser = await launchChromium([`--host-resolver-rules=MAP ${NAME} 127.0.0.1`]);
  });
  afterAll(async () => {
    await browser.close();
    await side.stop();
  });

  async function arrive(): Promise<PageVisitor & { referrers: Map<string, string | undefined> }> {
    const visitor = await visit(browser, { url });
    const referrers = new Map<string, string | undefined>();
    visitor.page.on('requestfinished', async (request) => {
      const { pathname } = new URL(request.url());
      referrers.set(`${request.method()} ${pathname}`, (await request.allHeaders()).referer);
    });
    return { ...visitor, referrers };
  }

  test('the form signs in, and out again', async () => {
    const { page, context, elsewhere, close } = await arrive();
    await page.goto(`${url}/app`);
    expect(await page.evaluate('isSecureContext')).toBe(false);
    await page.getByLabel('Token').fill(await side.token(SKIER));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${url}/app`);
    expect(await context.cookies()).toHaveLength(1);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${url}/app/sign-in`);
    expect(await context.cookies()).toEqual([]);
    expect(elsewhere).toEqual([]);
    await close();
  });

  test('a link with a token that has ended leads to a form that works, and no request tells the token', async () => {
    const { page, referrers, close } = await arrive();
    await page.goto(`${url}/app/sign-in?token=ended`);
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token').fill(await side.token(SKIER));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${url}/app`);
    await expect.poll(() => referrers.get('POST /app/sign-in')).toBe(`${url}/`);
    expect([...referrers.values()].filter((referrer) => referrer?.includes('token'))).toEqual([]);
    await close();
  });
});
