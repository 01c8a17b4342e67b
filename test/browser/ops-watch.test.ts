import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../../src/ops/pages/picture.ts';
import type { PipelineView } from '../../src/ops/pages/pipeline-view.ts';
import { type AllInOne, startAllInOne } from '../support/all-in-one.ts';
import { chromiumPath, launchChromium } from '../support/chromium.ts';
import { PHONE, visit } from '../support/page-visitor.ts';
import { until } from '../support/until.ts';

const LANE = { lane: 2, scans: 1, oldestAgeS: 1, failedJobs: 0, behindS: 1, takenPerS: 1, storedPerS: 1 };
const WELL: PipelineView = {
  processes: new Map([['worker', 1]]),
  lanes: [LANE],
  nodes: [{ name: 'node-1', isUp: true, shards: [0], deadLetters: 0, storedPerS: 1 }],
  sums: undefined,
  unaccounted: 0,
  directoryAwayS: undefined,
  isQueueUp: true,
};

const late = (look: number) => ({ ...LANE, oldestAgeS: 100 + look });
const scrolledTo = (page: Page) => page.evaluate(`document.querySelector('.stage.wide').scrollLeft`);

/** What the pages are told, look by look. */
interface Told {
  /** how often the page has asked */
  looks: number;
  /** undefined: the server does not answer */
  view: ((look: number) => PipelineView) | undefined;
}

describe.skipIf(!chromiumPath)('the operator’s page, while it is watched', () => {
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

  /** Opens the page; from then on the pipeline is as the test says, and what is said aloud is written down. */
  async function open(o: Partial<Parameters<typeof visit>[1]> = {}) {
    const { page, close } = await visit(browser, { url: all.url, ...o });
    const told: Told = { looks: 0, view: () => WELL };
    await page.route('**/ops/pipeline', async (route) => {
      told.looks += 1;
      if (!told.view) return route.abort();
      const body = String(await picture(told.view(told.looks)));
      return route.fulfill({ status: 200, contentType: 'text/html; charset=utf-8', body });
    });
    await page.clock.install();
    await page.goto(`${all.url}/ops`);
    await page.getByLabel('Admin key').fill(all.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await page.evaluate(`globalThis.said = [];
      new MutationObserver(() => said.push(document.getElementById('news').textContent))
        .observe(document.getElementById('news'), { childList: true, characterData: true, subtree: true })`);
    const looksOn = async (times: number) => {
      const from = told.looks;
      await until(`it has looked ${times} times`, async () => {
        await page.clock.fastForward(1_000);
        return told.looks >= from + times;
      });
    };
    await looksOn(2); // the first answer is on the page
    return { page, told, looksOn, said: () => page.evaluate('said'), close };
  }

  test('says an alarm once, however its numbers run, and once that it is over', async () => {
    const { page, told, looksOn, said, close } = await open();
    told.view = (look) => ({ ...WELL, lanes: [late(look)] });
    await looksOn(3);
    const [, shownS] = /waits for (\d+) s/.exec((await page.locator('.alarms').textContent()) ?? '') ?? [];
    expect(Number(shownS)).toBeGreaterThanOrEqual(100 + told.looks - 1);
    told.view = (look) => ({ ...WELL, lanes: [late(look)], directoryAwayS: 20 + look });
    await looksOn(3);
    told.view = (look) => ({ ...WELL, directoryAwayS: 20 + look });
    await looksOn(2);
    told.view = () => WELL;
    await looksOn(2);
    expect(await said()).toEqual([
      expect.stringMatching(/^Look: Lane 2: its oldest scan waits for \d+ s\.$/),
      expect.stringMatching(/^Look: The directory is away for \d+ s\.$/),
      expect.stringMatching(/^No longer: Lane 2: its oldest scan waits for \d+ s\.$/),
      'All is well again.',
    ]);
    await close();
  });

  test('says once that its server does not answer, and that it does again', async () => {
    const { page, told, looksOn, said, close } = await open();
    told.view = undefined;
    await looksOn(3);
    expect(await page.locator('#pipeline.old').count()).toBe(1);
    told.view = () => WELL;
    await looksOn(2);
    expect(await page.locator('#pipeline.old').count()).toBe(0);
    expect(await said()).toEqual([
      'This page is not up to date: its server does not answer.',
      'This page is up to date again.',
    ]);
    await close();
  });

  test('holds still while Live is off', async () => {
    const { page, told, looksOn, close } = await open();
    /** with those that the page has asked for and that have not come yet */
    const looksSoFar = async () => {
      await page.evaluate(`fetch('docs').then(() => {})`);
      return told.looks;
    };
    const live = page.getByRole('button', { name: 'Live' });
    await live.press('Enter');
    expect([await live.getAttribute('aria-pressed'), await page.locator('body.is-live').count()]).toEqual(['false', 0]);
    told.view = () => ({ ...WELL, lanes: [{ ...LANE, scans: 4_321 }] });
    const before = await looksSoFar();
    await page.clock.fastForward(60_000);
    expect(await looksSoFar()).toBe(before);
    await live.press('Enter');
    await looksOn(1);
    await page.getByText('4,321').waitFor();
    expect(await live.getAttribute('aria-pressed')).toBe('true');
    await close();
  });

  test('leaves what is scrolled and what is selected as it is, and goes on beside it', async () => {
    const { page, told, looksOn, close } = await open({ viewport: { ...PHONE, width: 250 } });
    told.view = (look) => ({ ...WELL, lanes: [{ ...LANE, scans: look, takenPerS: 1_000 + look }] });
    await looksOn(2);
    await page.evaluate(`{
      document.querySelector('.stage.wide').scrollLeft = 20;
      getSelection().selectAllChildren(document.querySelector('.stage.wide td'));
    }`);
    const selected = await page.evaluate('String(getSelection())');
    expect(selected).toMatch(/^1,00\d$/);
    expect(await scrolledTo(page)).toBe(20);
    await looksOn(3);
    await until('the number beside it runs', async () => {
      const text = await page.locator('.stage.wide td.bar').first().textContent();
      return Number(text) >= told.looks - 1;
    });
    expect(await page.evaluate('String(getSelection())')).toBe(selected);
    expect(await scrolledTo(page)).toBe(20);
    await page.evaluate('getSelection().removeAllRanges()');
    await looksOn(2);
    expect(await page.locator('.stage.wide td').first().textContent()).not.toBe(selected);
    await close();
  });
});
