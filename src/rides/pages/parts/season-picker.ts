import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { Links } from '../links.ts';

/** @param seasons newest first */
export function seasonPicker(seasons: number[], shown: number, links: Links): Html {
  return html`<nav class="seasons" aria-label="Seasons"><ul>${seasons.map(
    (season) =>
      html`<li><a href="${links.season(season)}" ${season === shown && html`aria-current="true"`}>${season}</a></li>`,
  )}</ul></nav>`;
}
