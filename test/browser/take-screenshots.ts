import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { type AllInOne, startAllInOne } from '../../loadtest/all-in-one.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { planSkiDay } from '../../src/simulator/ski-day.ts';
import { launchChromium } from '../support/chromium.ts';
import { DESKTOP, PHONE, visit } from '../support/page-visitor.ts';
import { until } from '../support/until.ts';

// npx node test/browser/take-screenshots.ts: plays a winter and takes the pictures of the pages that the README shows.

const FOLDER = path.join(import.meta.dirname, 'screenshots');
const TOKEN_SECRET = 'the-secret-of-the-pictures-32-characters';
const SKIER = 1;
const RESORT = 3;
const BUSY_DATE = '2026-02-21';
const BUSY_SKIERS = 400;
const NEXT_DATE = '2026-03-29';
/** A winter of weekends, and a week in February. */
const WINTER = {
  '2025-12': [6, 7, 13, 20, 28, 30],
  '2026-01': [4, 10, 11, 18, 24, 25, 31],
  '2026-02': [1, 14, 16, 17, 18, 20, 21, 22],
  '2026-03': [1, 7, 14, 15, 28],
};
const DATES = Object.entries(WINTER).flatMap(([month, days]) =>
  days.map((day) => `${month}-${String(day).padStart(2, '0')}`),
);
const BATCH = 500;
const PICTURES: { name: string; path: string; viewport: typeof PHONE; colorScheme: 'light' | 'dark'; part?: string }[] =
  [
    { name: 'season-light', path: '/app?season=2025', viewport: DESKTOP, colorScheme: 'light' },
    { name: 'days-light', path: '/app?season=2025', viewport: DESKTOP, colorScheme: 'light', part: 'Days' },
    { name: 'season-phone', path: '/app?season=2025', viewport: PHONE, colorScheme: 'light' },
    { name: 'day-dark', path: `/app/days/${BUSY_DATE}`, viewport: DESKTOP, colorScheme: 'dark' },
    { name: 'day-phone', path: `/app/days/${BUSY_DATE}`, viewport: PHONE, colorScheme: 'dark' },
    { name: 'resort-light', path: `/resorts/${RESORT}?date=${BUSY_DATE}`, viewport: DESKTOP, colorScheme: 'light' },
  ];

const liftline = await startAllInOne({ env: { TOKEN_SECRET } });
try {
  const rides = DATES.flatMap((date) => planned(date));
  await sendAll(liftline, rides);
  await until('everything is stored', () => isStored(liftline, rides), 60_000);
  const browser = await launchChromium();
  await takeAll(liftline, browser);
  await takeOps(liftline, browser);
  await browser.close();
} finally {
  await liftline.stop();
}

/** @returns the scans of a day as a gate sends them */
function planned(date: string, skiers = date === BUSY_DATE ? BUSY_SKIERS : 1) {
  const resort = sampleResorts().find(({ resortId }) => resortId === RESORT);
  if (!resort) throw new Error(`there is no sample resort ${RESORT}`);
  const people = { skiers, firstSkierId: SKIER, offlineShare: 0, againShare: 0 };
  return planSkiDay({ ...people, seed: date, resort, date }).rides.map(({ skierId, liftId, eventId, scannedAtMs }) => ({
    eventId,
    resortId: RESORT,
    liftId,
    skierId,
    scannedAt: new Date(scannedAtMs).toISOString(),
  }));
}

type PlannedScan = ReturnType<typeof planned>[number];

async function sendAll({ url, deviceKey }: AllInOne, scans: PlannedScan[]): Promise<void> {
  const headers = { authorization: `Bearer ${deviceKey}`, 'content-type': 'application/json' };
  for (let at = 0; at < scans.length; at += BATCH) {
    const body = JSON.stringify({ scans: scans.slice(at, at + BATCH) });
    const reply = await fetch(`${url}/v1/scans/batch`, { method: 'POST', headers, body });
    if (reply.status !== 202) throw new Error(`${reply.status} ${await reply.text()}`);
  }
}

async function isStored({ url, adminKey }: AllInOne, scans: PlannedScan[]): Promise<boolean> {
  const reply = await fetch(`${url}/v1/skiers/${SKIER}/seasons`, { headers: { authorization: `Bearer ${adminKey}` } });
  const { seasons } = (await reply.json()) as { seasons: { rides: number }[] };
  const own = scans.filter(({ skierId }) => skierId === SKIER).length;
  const day = await fetch(`${url}/v1/resorts/${RESORT}/days/${BUSY_DATE}`);
  const { skiers } = (await day.json()) as { skiers: number };
  return seasons[0]?.rides === own && skiers === BUSY_SKIERS;
}

/** The pipeline, while scans come in. */
async function takeOps(running: AllInOne, browser: Browser): Promise<void> {
  const { url, adminKey } = running;
  const { page, close } = await visit(browser, { url, viewport: DESKTOP, colorScheme: 'light' });
  await page.goto(`${url}/ops`);
  await page.getByLabel('Admin key').fill(adminKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const stored = page.locator('.stage', { hasText: 'scans/s stored' }).locator('.rate');
  const scans = planned(NEXT_DATE, BUSY_SKIERS);
  await until('scans flow', async () => {
    await sendAll(running, scans.splice(0, 40));
    return Number.parseInt((await stored.textContent()) ?? '', 10) > 100;
  });
  await page.screenshot({ path: path.join(FOLDER, 'ops-light.png') });
  await close();
}

async function takeAll({ url }: AllInOne, browser: Browser): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const token = await signSkierToken(TOKEN_SECRET, SKIER, 600);
  for (const { name, path: address, viewport, colorScheme, part } of PICTURES) {
    const { page, close } = await visit(browser, { url, viewport, colorScheme });
    await page.goto(`${url}/app/sign-in?token=${token}`);
    await page.goto(url + address);
    const isFollowing = (await page.locator('main[data-live]').count()) > 0;
    if (isFollowing) await page.locator('body.is-live').waitFor();
    const shown = part === undefined ? page : page.getByRole('region', { name: part });
    await shown.screenshot({ path: path.join(FOLDER, `${name}.png`) });
    await close();
  }
}
