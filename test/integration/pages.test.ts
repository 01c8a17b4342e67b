import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ReadSide, startReadSide } from '../support/read-side.ts';
import { until } from '../support/until.ts';

/** @returns the text of a page, without markup, spaces as one */
function textOf(html: string): string {
  return html
    .replaceAll(/<(script|style)[^]*?<\/\1>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/[\s\u00A0\u202F]+/g, ' ');
}

const SKIER = 41;
const OTHER = 42;

describe('the pages', () => {
  let side: ReadSide;
  let cookie: string;
  beforeAll(async () => {
    side = await startReadSide({ cacheBytes: 1_000_000 });
    cookie = `liftline_skier=${await side.token(SKIER)}`;
    await side.store([
      { skierId: SKIER, resortId: 3, liftId: 40, at: '2025-12-20T08:10:00Z' },
      { skierId: SKIER, resortId: 3, liftId: 40, at: '2025-12-20T08:40:00Z' },
      { skierId: SKIER, resortId: 1, liftId: 10, at: '2025-12-20T14:05:00Z' },
      { skierId: SKIER, resortId: 8, liftId: 5, at: '2026-01-05T23:30:00Z' },
      { skierId: OTHER, resortId: 3, liftId: 40, at: '2025-12-20T08:10:00Z' },
    ]);
  });
  afterAll(() => side.stop());
  const page = (path: string, headers: Record<string, string> = {}) => side.get(path, { cookie, ...headers });
  const text = async (path: string, headers: Record<string, string> = {}) => {
    const reply = await page(path, headers);
    expect(reply.status).toBe(200);
    return textOf(await reply.text());
  };

  test('a season: its totals, its days as links, and the latest day', async () => {
    const html = await (await page('/app')).text();
    const shown = textOf(html);
    expect(shown).toMatch(/Season 2025 .*Vertical 950 m Days 2 Rides 4/);
    expect(html).toContain('href="./app/days/2025-12-20"');
    expect(shown).toContain('Last lift: Tengu Gondola at 08:30'); // 2026-01-06 in Tokyo
    expect(html).toContain('href="./app/days/2026-01-06"');
  });

  test('a day at two resorts: each ride at its own time, lifts with counts, the days beside it', async () => {
    const html = await (await page('/app/days/2025-12-20')).text();
    const shown = textOf(html);
    expect(shown).toContain('Saturday, 20 December 2025');
    expect(shown).toMatch(/Piz Alvra and Sonnkogel Arena/);
    expect(shown).toMatch(/15:05 Sonnkogel Sesselbahn 100 m 900 m .*09:40 .*400 m 800 m .*09:10 .*400 m 400 m/);
    expect(html).toContain('rel="next" href="../../app/days/2026-01-06"');
    expect(html).not.toContain('rel="prev"');
    expect(html).toContain('href="../../resorts/3?date=2025-12-20"');
  });

  test('in the visitor’s language and units', async () => {
    const american = await text('/app', { 'accept-language': 'en-US' });
    expect(american).toContain('Vertical 3,117 ft');
    expect(american).toContain('8:30 AM');
    const swiss = await (await page('/app/days/2025-12-20', { 'accept-language': 'de-CH' })).text();
    expect(swiss).toContain('<html lang="en" data-locale="de-CH">');
    expect(swiss).toContain('<h1 id="title" lang="de-CH">Samstag, 20. Dezember 2025</h1>');
  });

  test('a season or day without rides says so', async () => {
    expect(await text('/app?season=2023')).toContain('No rides in season 2023. Meanwhile there is season 20');
    expect(await text('/app/days/2025-12-25')).toContain('No rides on this day.');
    const nobody = await side.get('/app', { cookie: `liftline_skier=${await side.token(4_711)}` });
    expect(textOf(await nobody.text())).toContain('The snow is still untouched.');
  });

  test('a resort’s day: skiers, rides, each lift by hour, the days beside it', async () => {
    const html = await (await side.get('/resorts/3?date=2025-12-20')).text();
    const shown = textOf(html);
    expect(shown).toMatch(/Piz Alvra .*Skiers 2 Rides 3 Vertical of all 1,200 m Lifts with rides 1 \/ 40/);
    expect(shown).toMatch(/Lai Nair Express 3 0 3 0/); // 8, 9 and 10 o'clock
    expect(html).toContain('href="../resorts/3?date=2025-12-19"');
    expect(html).toContain('href="../resorts/3?date=2025-12-21"');
    expect(shown).toContain('Without a ride: Alp Sura Gondelbahn');
  });

  test('today there is no day after, and all resorts are listed with their own time', async () => {
    const today = await (await side.get('/resorts/1')).text();
    expect(today).not.toContain('rel="next"');
    expect(await text('/app/resorts')).toMatch(
      /Sonnkogel Arena 40 lifts · 08:30 to 16:30 (Open|Closed) \d\d:\d\d CES?T/,
    );
  });

  test.each([
    '/app/days/2026-02-30',
    '/app/days/x',
    '/app?season=never',
    '/app/nothing',
    '/resorts/999',
    '/resorts/x',
    '/resorts/1?date=1',
  ])('%s is no page, and that is said on one', async (path) => {
    const reply = await page(path);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(await reply.text()).toContain('There is no such page');
  });

  test('nothing of a skier is kept on the way; what is public is, for a moment; all have the strict policy', async () => {
    for (const path of ['/app', '/app/days/2025-12-20', '/app/sign-in', '/app/nothing']) {
      expect((await page(path)).headers.get('cache-control')).toBe('private, no-store');
    }
    for (const path of ['/resorts/3?date=2025-12-20', '/app/resorts']) {
      const { headers } = await side.get(path);
      expect(headers.get('cache-control')).toBe('public, max-age=60');
      expect(headers.get('vary')).toBe('Accept-Language');
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
    }
    expect((await side.get('/resorts/1')).headers.get('cache-control')).toBe('public, max-age=5');
  });

  test('a page that is public is the same for a skier who has signed in', async () => {
    const withCookie = await (await page('/app/resorts')).text();
    expect(withCookie).not.toContain('Sign out');
  });

  test('a node that is away: what was read before is marked stale, what was not is 503 in the same frame', async () => {
    const away = side.nodeOf(SKIER).nodeId;
    await text('/app'); // from now on it is kept
    await side.proxies.get(away)?.close();
    await until('it is known to be away', async () => (await text('/app')).includes('Not up to date'));
    expect(await text('/app')).toContain('Rides 4');

    const never = await page('/app/days/2025-12-24');
    expect([never.status, never.headers.get('retry-after')]).toEqual([503, '1']);
    const html = await never.text();
    expect(textOf(html)).toMatch(/My season Resorts Sign out .*This can’t be read just now .*Try again/);
    expect(html).toContain('href="2025-12-24"');

    const resort = await side.get('/resorts/3?date=2025-11-30');
    expect([resort.status, resort.headers.get('cache-control')]).toEqual([503, 'private, no-store']);
    expect(textOf(await resort.text())).toMatch(/Piz Alvra .*This day can’t be added up just now/);
  });
});
