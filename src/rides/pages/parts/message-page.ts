import { html } from 'hono/html';
import type { Html } from '../html.ts';

/**
 * Says what is the matter.
 *
 * @param o.level of the heading; 2 below another one
 * @param o.again where to try once more; the script tries by itself, too
 */
export function messagePage(o: { title: string; text: string; level?: 1 | 2; again?: string }): Html {
  const heading = o.level === 2 ? html`<h2 id="message">${o.title}</h2>` : html`<h1 id="message">${o.title}</h1>`;
  return html`<section class="message" ${o.again !== undefined && html`data-away`} aria-labelledby="message">
${heading}
<p>${o.text}</p>
${o.again !== undefined && html`<p><a class="primary" href="${o.again}">Try again</a></p>`}
</section>`;
}
