import { describe, expect, test } from 'vitest';
import { preferredLocale, visitors } from '../../src/rides/pages/visitor.ts';

const NOON = Date.UTC(2026, 10, 26, 13, 32);
/** Intl puts narrow spaces where a test would write plain ones. */
const plain = (text: string) => text.replaceAll(/[\u00A0\u202F]/g, ' ');

describe('the language of a visitor', () => {
  test.each([
    [undefined, 'en-GB'],
    ['', 'en-GB'],
    ['de-CH', 'de-CH'],
    ['fr;q=0.3, de-AT;q=0.8', 'de-AT'],
    ['en', 'en-GB'],
    ['EN-us,en;q=0.9', 'en-US'],
    ['*', 'en-GB'],
    ['de;q=0, it', 'it'],
    ['qx-QX, es', 'es'],
    ['!!, a_b, <script>, nb', 'nb'],
    ['ar-u-nu-latn-ca-islamic', 'ar'],
    [`${'xx,'.repeat(500)}ja`, 'en-GB'],
  ])('%s is answered in %s', (header, locale) => {
    expect(preferredLocale(header)).toBe(locale);
  });

  test('the page’s own text stays English, in whose English there is', () => {
    const of = visitors();
    expect(['en-US', 'de-CH', 'en-AU'].map((header) => of(header).textLang)).toEqual(['en-US', 'en', 'en-AU']);
  });

  test('however many languages are asked for, few are kept', () => {
    const of = visitors();
    const first = of('de-CH');
    expect(of('de-CH,en;q=0.5')).toBe(first);
    for (let region = 0; region < 100; region += 1) of(`de-${String(region).padStart(3, '0')}`);
    expect(of('de-CH')).not.toBe(first);
  });
});

describe('what a visitor reads', () => {
  const of = visitors();

  test('heights in metres, and in feet in the United States', () => {
    expect(plain(of('en-GB').height(5_240))).toBe('5,240 m');
    expect(plain(of('de').height(5_240))).toBe('5.240 m');
    expect(plain(of('en-US').height(100))).toBe('328 ft');
    expect(plain(of('es-US').height(100))).toBe('328 ft');
    expect(plain(of('en-CA').height(100))).toBe('100 m');
    expect(of('en-US').heightText(of('en-US').heightUnits(100))).toBe(of('en-US').height(100));
  });

  test('times in the resort’s zone, dates as they are', () => {
    expect(of('en-GB').time(NOON, 'Europe/Vienna')).toBe('14:32');
    expect(of('en-GB').time(NOON, 'Asia/Tokyo')).toBe('22:32');
    expect(plain(of('en-US').time(NOON, 'America/Denver'))).toBe('6:32 AM');
    expect(plain(of('en-US').timeOfDay('16:30'))).toBe('4:30 PM');
    expect(of('de-CH').timeOfDay('08:30')).toBe('08:30');
    expect([of('en-GB'), of('en-US')].map(({ fullHour }) => plain(fullHour(NOON - 32 * 60_000, 'UTC')))).toEqual([
      '13:00',
      '1 PM',
    ]);
    expect(of('en-GB').zonedTime(NOON, 'Europe/Vienna')).toBe('14:32 CET');
    expect(of('de').longDate('2026-11-26')).toBe('Donnerstag, 26. November 2026');
    expect(of('en-US').shortDate('2026-01-01')).toBe('Thu, Jan 1');
    expect(of('fr').month('2026-02-01')).toBe('février 2026');
  });

  test('the resort’s calendar, also where another one is usual', () => {
    expect(of('th').longDate('2026-11-26')).toContain('2026');
    expect(of('fa').longDate('2026-11-26')).toContain('۲۰۲۶');
  });

  test.each([
    ['en-GB', 1, 'Monday'],
    ['en-US', 7, 'Sunday'],
    ['ar-EG', 6, 'السبت'],
  ])('a week in %s begins on day %i', (locale, iso, long) => {
    const { weekdays } = of(locale);
    expect(weekdays[0]).toMatchObject({ iso, long });
    expect(weekdays.map((day) => day.iso).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
