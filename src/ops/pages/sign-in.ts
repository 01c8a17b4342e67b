import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { html } from 'hono/html';
import type { BrowserAssets } from '../../platform/browser-assets.ts';
import { isSameSecret } from '../../platform/credentials.ts';
import { refuseForeignForms } from '../../platform/foreign-forms.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import { answerPage, MAX_FORM_BYTES, rootOf } from './frame.ts';
import type { Html } from './picture.ts';
import type { OperatorSessions } from './session.ts';

export interface SignInOptions {
  adminKey: string;
  sessions: OperatorSessions;
  assets: BrowserAssets;
}

/** Where an operator may be sent after signing in, seen from `/ops/`: to a letter, nothing else. */
const DESTINATION = /^letters\/[0-9a-f-]{36}$/i;

/** Signing in with the admin key, and out. Forms of other sites are refused. */
export function signInPages(o: SignInOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use('/ops/:page{sign-in|sign-out}', refuseForeignForms, bodyLimit({ maxSize: MAX_FORM_BYTES }));
  app.get('/ops/sign-in', (context) => showForm(context, o, { to: destinationOf(context.req.query('to')) }));
  app.post('/ops/sign-in', async (context) => {
    const form = await context.req.parseBody();
    const to = destinationOf(form.to);
    if (typeof form.key === 'string' && isSameSecret(form.key.trim(), o.adminKey)) {
      o.sessions.begin(context);
      return context.redirect(to === undefined ? '../ops' : `./${to}`, 303);
    }
    // nobody is counted: what keeps guessers out is the length of the key, and a lock would keep operators out
    return showForm(context, o, { to, problem: 'This is not the admin key.', status: 401 });
  });
  app.post('/ops/sign-out', (context) => {
    o.sessions.end(context);
    return context.redirect('sign-in', 303);
  });
  return app;
}

/**
 * Sends a visitor without a session to the form, and from there to what they asked for. Whoever follows a link of another site
 * comes without the cookie.
 *
 * @param to seen from `/ops/`; one that nobody may be sent to is left out
 */
export function askToSignIn(context: Context<HttpEnv>, to: string): Response {
  const query = destinationOf(to) === undefined ? '' : `?to=${to}`;
  return context.redirect(`${rootOf(context.req.path)}ops/sign-in${query}`, 303);
}

function destinationOf(given: unknown): string | undefined {
  return typeof given === 'string' && DESTINATION.test(given) ? given : undefined;
}

function showForm(
  context: Context<HttpEnv>,
  { assets }: SignInOptions,
  { status = 200, ...form }: { to: string | undefined; problem?: string; status?: 200 | 401 },
): Promise<Response> {
  return answerPage(context, { title: 'Sign in', main: signInForm(form), formToken: undefined }, { assets, status });
}

function signInForm({ problem, to }: { problem?: string; to: string | undefined }): Html {
  return html`<form class="sign-in" method="post" action="sign-in"><h1>Sign in</h1>
${problem !== undefined && html`<p class="said" role="alert">${problem}</p>`}
<label for="key">Admin key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
${to !== undefined && html`<input type="hidden" name="to" value="${to}">`}
<button class="main">Sign in</button></form>`;
}
