import { html } from 'hono/html';
import type { DeadLetter } from '../../shards/dead-letters.ts';
import type { Html } from './picture.ts';

/** Dead letters that the page lists; `liftline dead` has filters for more. */
export const LISTED = 50;

/** @param letters undefined when a node does not answer: a list with a part missing would look like all there is */
export function letterList(letters: DeadLetter[] | undefined): Html {
  const title = html`<h2 id="dead">Dead letters</h2>`;
  if (!letters) return section(title, html`<p>They are listed when every node answers.</p>`);
  if (letters.length === 0) return section(title, html`<p>There are none.</p>`);
  return section(
    title,
    html`<table>
<thead><tr><th scope="col">Died</th><th scope="col">Lane</th><th scope="col">Reason</th><th scope="col">Scan</th><th scope="col"><span class="unseen">Decide</span></th></tr></thead>
<tbody>${letters.map(
      (letter) => html`<tr>
<td>${time(letter.diedAt)}</td><td>${letter.lane}</td><td>${letter.code}: ${letter.detail}</td><td>${short(letter)}</td>
<td><a href="ops/letters/${letter.deadLetterId}">Decide<span class="unseen"> about the letter of ${time(letter.diedAt)}</span></a></td>
</tr>`,
    )}</tbody></table>
<p>The newest ${LISTED} at most; <code>liftline dead list</code> has filters, and replays or discards many.</p>`,
  );
}

/** One letter, with what can be done about it. */
export function letterPage(letter: DeadLetter, formToken: string): Html {
  const form = (verb: string, what: Html) =>
    html`<form method="post" action="${letter.deadLetterId}/${verb}"><input type="hidden" name="token" value="${formToken}">${what}</form>`;
  return html`<h1>A dead letter of lane ${letter.lane}</h1>
<section class="dead"><p><strong>${letter.code}</strong>: ${letter.detail}</p>
<p>Taken ${time(letter.acceptedAt)}, died ${time(letter.diedAt)}.</p>
<pre tabindex="0" aria-label="What it holds">${JSON.stringify(letter.payload, null, 2)}</pre></section>
<h2>Replay it</h2>
<p>It goes back into its lane, as old as it is. When the reason is still there it comes back here.</p>
${form('replay', html`<button class="main">Replay</button>`)}
<h2>Discard it</h2>
${form('discard', html`<p><label><input type="checkbox" name="sure" required> I know that these rides are gone for good.</label></p><button>Discard</button>`)}`;
}

function section(title: Html, content: Html): Html {
  return html`<section class="dead" aria-labelledby="dead">${title}${content}</section>`;
}

function short({ payload }: DeadLetter): string {
  const text = JSON.stringify(payload) ?? '';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function time(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC');
}
