import { html } from 'hono/html';
import type { Html } from '../html.ts';

/**
 * @param o.problem why the last token was not taken
 * @param o.to where to go afterwards, as the form gives it back
 */
export function signInPage(o: { problem: string | undefined; to: string | undefined }): Html {
  const { problem, to } = o;
  return html`<section class="sign-in" aria-labelledby="title">
<h1 id="title">Your season, ride by ride</h1>
<p>Every lift that has read your pass: how often, where and how high. Sign in with the token that your resort gave you.</p>
<form class="card" method="post">
${problem !== undefined && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
<label for="token">Token</label>
<input id="token" name="token" type="text" required autocomplete="off" autocapitalize="none" spellcheck="false" inputmode="text" ${
    problem !== undefined && html`aria-invalid="true" aria-describedby="problem"`
  }>
${to !== undefined && html`<input type="hidden" name="to" value="${to}">`}
<button class="primary">Sign in</button>
</form>
</section>`;
}
