import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Problem } from '../../domain/problem.ts';
import { refuseForeignForms } from '../../platform/foreign-forms.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import type { PageOptions } from './page-options.ts';
import { signInPage } from './parts/sign-in-page.ts';
import { forgetToken, isKeepable, keepToken } from './session.ts';

/** Where a visitor may be sent after signing in: a page of theirs, nothing else. */
const DESTINATION = /^days\/\d{4}-\d{2}-\d{2}$/;
const MAX_FORM_BYTES = 16_384;

/**
 * Signing in, by a form or by a link that holds the token, and signing out. The token goes into a cookie and out of the address.
 * Forms of other sites are refused.
 */
export function signInPages(o: PageOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use('/app/:page{sign-in|sign-out}', refuseForeignForms, bodyLimit({ maxSize: MAX_FORM_BYTES }));
  app.get('/app/sign-in', (context) => {
    const token = context.req.query('token');
    return token === undefined ? showForm(context, o) : signIn(context, token, o);
  });
  app.post('/app/sign-in', async (context) => {
    const { token } = await context.req.parseBody();
    return signIn(context, typeof token === 'string' ? token.trim() : '', o);
  });
  app.post('/app/sign-out', (context) => {
    forgetToken(context);
    return seeOther(context, './sign-in');
  });
  return app;
}

async function signIn(context: Context<HttpEnv>, token: string, o: PageOptions): Promise<Response> {
  const problem = await problemWith(token, o);
  if (problem !== undefined) return showForm(context, o, problem);
  keepToken(context, token);
  const to = await destination(context);
  return seeOther(context, to === undefined ? '../app' : `./${to}`);
}

/** @returns why a token is not taken, for the person who sent it */
async function problemWith(token: string, o: PageOptions): Promise<{ text: string; status: 401 | 503 } | undefined> {
  if (!isKeepable(token)) return { text: 'This token is too long to be kept by a browser.', status: 401 };
  try {
    await o.tokens.verify(token);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 503) return { text: 'Tokens can’t be checked just now. Try again in a moment.', status: 503 };
    return { text: 'This token is not valid, or no longer. Ask your resort for another one.', status: 401 };
  }
}

/** Where the address holds a token, no request from the page tells more of it than its origin, which its form has to tell. */
async function showForm(
  context: Context<HttpEnv>,
  o: PageOptions,
  problem?: { text: string; status: 401 | 503 },
): Promise<Response> {
  const setting = await o.render.setting(context);
  const to = await destination(context);
  const main = signInPage({ problem: problem?.text, to });
  return o.render.answer(
    context,
    { title: 'Sign in', menu: 'season', isSignedIn: false, updates: 'none', main },
    setting,
    {
      status: problem?.status ?? 200,
      keeping: 'nobody',
      headers: {
        ...(problem?.status === 401 && { 'www-authenticate': 'Bearer' }),
        ...(context.req.query('token') !== undefined && { 'referrer-policy': 'strict-origin' }),
      },
    },
  );
}

async function destination(context: Context<HttpEnv>): Promise<string | undefined> {
  const given = context.req.method === 'POST' ? (await context.req.parseBody()).to : context.req.query('to');
  return typeof given === 'string' && DESTINATION.test(given) ? given : undefined;
}

function seeOther(context: Context<HttpEnv>, to: string): Response {
  context.header('cache-control', 'private, no-store');
  context.header('referrer-policy', 'no-referrer');
  return context.redirect(to, 303);
}
