import { html } from 'hono/html';
import type { Html } from '../html.ts';

/** A few large numbers, each under its name; the first is the largest. */
export function figures(entries: { name: string; value: string }[]): Html {
  return html`<dl class="figures">${entries.map(
    ({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}
