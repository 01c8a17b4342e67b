import { describe, expect, test } from 'vitest';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { linksFrom } from '../../src/rides/pages/links.ts';
import { completeness } from '../../src/rides/pages/parts/completeness.ts';
import type { Setting } from '../../src/rides/pages/parts/frame.ts';
import { besideMountain } from '../../src/rides/pages/parts/mountain.ts';
import { rideTable } from '../../src/rides/pages/parts/ride-table.ts';
import { together } from '../../src/rides/kept-reads.ts';
import { hoursShown, hourTexts, localNow } from '../../src/rides/pages/resort-hours.ts';
import { visitors } from '../../src/rides/pages/visitor.ts';

const now = Date.UTC(2026, 10, 27, 13, 0);
const visitor = visitors()('en-GB');
const setting: Setting = { visitor, links: linksFrom('/app'), assets: {}, now };
const textOf = (html: unknown) => String(html).replaceAll(/<[^>]+>/g, '');

async function said(asOf: number | null, isStale = false): Promise<string> {
  return String(await completeness({ asOf, isStale }, 'Europe/Vienna', setting));
}

/** A lift that ran in some hours. */
function lift(...ridden: number[]): { hours: number[] } {
  return { hours: Array.from({ length: 24 }, (_, hour) => Number(ridden.includes(hour))) };
}

describe('links', () => {
  test.each([
    ['/app', 'https://x.org/p/app'],
    ['/app/sign-in', 'https://x.org/p/app/sign-in'],
    ['/app/days/2026-01-01', 'https://x.org/p/app/days/2026-01-01'],
    ['/resorts/7', 'https://x.org/p/resorts/7'],
  ])('from %s lead to the same places, behind whatever prefix', (path, shown) => {
    const links = linksFrom(path);
    const to = (link: string) => new URL(link, shown).href;
    expect(to(links.season())).toBe('https://x.org/p/app');
    expect(to(links.season(2025))).toBe('https://x.org/p/app?season=2025');
    expect(to(links.day('2026-01-02'))).toBe('https://x.org/p/app/days/2026-01-02');
    expect(to(links.resort(3, '2026-01-02'))).toBe('https://x.org/p/resorts/3?date=2026-01-02');
    expect(to(links.asset('page.css'))).toBe('https://x.org/p/app/assets/page.css');
  });
});

describe('up to when a page is complete', () => {
  test('a moment ago: the time alone, and no warning', async () => {
    const html = await said(now - 5_000);
    expect(textOf(html)).toContain('Complete up to 13:59 CET.');
    expect(html).toContain('class="behind" hidden');
  });

  test('a while ago: later rides may be missing; another day: with its date', async () => {
    expect(await said(now - 61_000)).not.toContain('hidden');
    expect(textOf(await said(now - 30 * 3_600_000))).toContain('Complete up to Thu 26 Nov, 08:00 CET');
  });

  test('what nobody knows is not claimed, and what is stale says so', async () => {
    expect(textOf(await said(null))).toBe('Up to when this is complete is not known yet.');
    expect(textOf(await said(now, true))).toMatch(/^Not up to date.* Complete up to 14:00 CET/);
  });

  test('of several answers, the earliest', () => {
    expect(
      together([
        { asOf: 5, isStale: false },
        { asOf: 3, isStale: true },
      ]),
    ).toEqual({ asOf: 3, isStale: true });
    expect(
      together([
        { asOf: 5, isStale: false },
        { asOf: null, isStale: false },
      ]).asOf,
    ).toBeNull();
  });
});

test('rides are listed newest first with what they added up to; names are text, never markup', async () => {
  const ride = { resortId: 1, liftId: 1, season: '2026', day: 1, date: '2026-11-26' };
  const rides = [
    {
      ...ride,
      eventId: 'b',
      liftName: '<img src=x onerror=alert(1)>',
      scannedAt: '2026-11-26T09:30:00Z',
      verticalM: 200,
    },
    { ...ride, eventId: 'a', liftName: 'Plaun', scannedAt: '2026-11-26T09:00:00Z', verticalM: 300 },
  ];
  const html = String(await rideTable(rides, () => 'Europe/Vienna', setting));
  expect(html).not.toContain('<img');
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  const rows = [...html.matchAll(/<tr role="row" data-mark.*?<\/tr>/g)].map(([row]) =>
    textOf(row.replaceAll('</td>', ' ')),
  );
  expect(rows).toEqual([expect.stringMatching(/^10:30 .*200 m 500 m $/), '10:00 Plaun300 m 300 m ']);
});

describe('the hours of a resort', () => {
  const [vienna] = sampleResorts();
  const resort = { timeZone: vienna?.timeZone ?? '', opensAt: '08:30', closesAt: '16:00' };

  test('are those from opening to closing, and others with rides', () => {
    expect(hoursShown(resort, [])).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect(hoursShown({ ...resort, closesAt: '16:30' }, []).at(-1)).toBe(16);
    expect(hoursShown(resort, [lift(7), lift(23)])).toEqual(Array.from({ length: 17 }, (_, i) => 7 + i));
    expect(hoursShown({ opensAt: '00:00', closesAt: '24:00' }, []).at(-1)).toBe(23);
  });

  test('are written as the visitor writes times, also on the day that clocks change', () => {
    expect(hourTexts([8], { ...resort, date: '2026-10-25' }, visitor)).toEqual([
      { hour: 8, full: '08:00', short: '08' },
    ]);
    expect(hourTexts([13], { ...resort, date: '2026-03-29' }, visitors()('en-US'))).toEqual([
      { hour: 13, full: expect.stringMatching(/^1\sPM$/), short: '1' },
    ]);
    expect(localNow(resort, now)).toEqual({ date: '2026-11-27', time: '14:00' });
  });
});

test.each([
  [200, undefined],
  [400, 'Higher than the Eiffel Tower.'],
  [4_806, 'Higher than Mont Blanc.'],
  [20_000, 'More than twice the height of Mount Everest.'],
  [30_000, 'More than 3 times the height of Mount Everest.'],
  [8_849_000, '1,000 times Mount Everest.'],
])('%i m beside a mountain: %s', (verticalM, sentence) => {
  expect(besideMountain(verticalM, (value) => visitor.number(value))).toBe(sentence);
});
