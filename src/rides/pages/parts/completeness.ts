import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { Freshness } from '../../kept-reads.ts';
import type { Setting } from './frame.ts';

/** Later than this, and somebody who has just ridden a lift should hear that it may be missing. */
const BEHIND_MS = 60_000;
/** Beyond, the time alone could be taken for today's. */
const SAME_DAY_MS = 12 * 3_600_000;

/** Up to when a page is complete: no more, and no less, than what its data can vouch for. The script puts its switch beside it. */
export function completeness(of: Freshness, timeZone: string, setting: Setting): Html {
  return html`<div class="freshness"><div data-region="as-of">${sentence(of, timeZone, setting)}</div><span data-switch></span></div>`;
}

function sentence({ asOf, isStale }: Freshness, timeZone: string, { visitor, now }: Setting): Html {
  const stale = isStale && html`<strong class="stale">Not up to date: the database can’t be asked now.</strong> `;
  if (asOf === null) return html`<p class="as-of">${stale}Up to when this is complete is not known yet.</p>`;
  const day = now - asOf > SAME_DAY_MS ? `${visitor.shortDate(dateIn(asOf, timeZone))}, ` : '';
  return html`<p class="as-of">${stale}Complete up to <time datetime="${new Date(
    asOf,
  ).toISOString()}" data-zone="${timeZone}" lang="${visitor.locale}">${day}${visitor.zonedTime(asOf, timeZone)}</time>. <span class="behind" ${
    now - asOf <= BEHIND_MS && html`hidden`
  }>Later rides may still be on their way.</span></p>`;
}

function dateIn(instantMs: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(instantMs);
}
