import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { z } from 'zod';

/** Somebody with a browser window, who notes what a page must not do. */
export interface PageVisitor {
  page: Page;
  context: BrowserContext;
  /** errors and warnings of the console, and errors that no script caught */
  complaints: string[];
  /** requests to other servers */
  elsewhere: string[];
  close: () => Promise<void>;
}

/** For what a test waits for, before it fails and says for what. */
const PATIENCE_MS = 10_000;

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 900 };

export interface PageVisitorOptions {
  /** of the pages' server */
  url: string;
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
  locale?: string;
  /** false: without script */
  script?: boolean;
  deviceScaleFactor?: number;
}

export async function visit(browser: Browser, o: PageVisitorOptions): Promise<PageVisitor> {
  const context = await browser.newContext({
    viewport: o.viewport ?? DESKTOP,
    colorScheme: o.colorScheme ?? 'light',
    locale: o.locale ?? 'en-GB',
    javaScriptEnabled: o.script ?? true,
    deviceScaleFactor: o.deviceScaleFactor ?? 1,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(o.url) && !request.url().startsWith('data:')) elsewhere.push(request.url());
  });
  const close = async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' }); // an open page may be asking still
    await context.close();
  };
  return { page, context, complaints, elsewhere, close };
}

const problems = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string(), failureSummary: z.string() })) }),
);
const findings = z.object({ violations: problems, incomplete: problems, passes: z.array(z.unknown()) });

/**
 * Both ends of what stands behind the text at the top of a page: axe can't tell the contrast on a gradient or a picture, so
 * it is shown each end as one colour.
 */
const BACKGROUNDS = { foot: 'var(--snow)', peaks: 'color-mix(in srgb, var(--sky), #3b86a6 15%)' };

/**
 * @param backgrounds of the page, where it is more than one colour
 * @returns what axe finds wrong with a page by WCAG 2.2 AA and its own best practices, one line each
 */
export async function accessibilityProblems(page: Page, backgrounds = BACKGROUNDS): Promise<string[]> {
  await page.evaluate(axe.source); // past the page's policy, which lets no other script in
  const found = [
    ...(await run(page, backgrounds.peaks, '')),
    ...(await run(page, backgrounds.foot, "{ runOnly: ['color-contrast'] }")),
  ];
  await page.evaluate("document.body.style.background = ''");
  return [...new Set(found)];
}

async function run(page: Page, background: string, options: string): Promise<string[]> {
  await page.evaluate(`document.body.style.background = '${background}'`);
  const { violations, incomplete, passes } = findings.parse(await page.evaluate(`axe.run(${options})`));
  if (passes.length === 0) throw new Error('axe has looked at nothing');
  // text of charts it can't judge; it has the colours of the text around it, and a rim in the colour of what is below
  const unjudged = incomplete
    .filter(({ id }) => id === 'color-contrast')
    .map(({ id, nodes }) => ({ id, nodes: nodes.filter(({ html }) => !html.startsWith('<text ')) }));
  return [...violations, ...unjudged].flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** @returns by how many pixels a page is wider than its window */
export async function overflowOf(page: Page): Promise<number> {
  return z
    .number()
    .parse(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'));
}

/** @returns what has the focus: its role or tag, and its name */
export async function focusOf(page: Page): Promise<string> {
  const text = await page.evaluate(`{
    const at = document.activeElement;
    at.tagName.toLowerCase() + ' ' + (at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent).trim().replaceAll(/\\s+/g, ' ')
  }`);
  return z.string().parse(text);
}
