import { html } from 'hono/html';
import type { Html } from '../html.ts';

/** A step to a neighbouring day. */
export interface Step {
  href: string;
  /** as it is shown: a short date */
  text: string;
  lang: string;
}

/** From one day to the one before and the one after; where there is none, there is no link. */
export function steps(before: Step | undefined, after: Step | undefined, middle: Html | false = false): Html {
  return html`<nav class="steps" aria-label="Days">
<span>${before && html`<a rel="prev" href="${before.href}"><span aria-hidden="true">‹ </span><span class="unseen">Day before: </span><span lang="${before.lang}">${before.text}</span></a>`}</span>
<span>${middle}</span>
<span>${after && html`<a rel="next" href="${after.href}"><span class="unseen">Day after: </span><span lang="${after.lang}">${after.text}</span><span aria-hidden="true"> ›</span></a>`}</span>
</nav>`;
}
