import type { Context } from 'hono';
import { html } from 'hono/html';
import type { BrowserAssets } from '../../platform/browser-assets.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import type { Html } from './picture.ts';

/** Styles and scripts from here alone, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export interface OpsPage {
  title: string;
  main: Html;
  /** what its forms send along; undefined for a visitor who has not signed in */
  formToken: string | undefined;
  /** whether it looks at the pipeline again and again */
  isLive?: boolean;
}

/** @returns the way from a page up to what stands beside `/ops`: links are relative, so that they also work behind a prefix */
export function rootOf(path: string): string {
  const depth = path.replace(/\/$/, '').split('/').length - 2;
  return depth <= 0 ? './' : '../'.repeat(depth);
}

/** Answers with a page in its frame; nobody keeps it. */
export async function answerPage(
  context: Context<HttpEnv>,
  page: OpsPage,
  { assets, status = 200 }: { assets: BrowserAssets; status?: 200 | 401 | 404 | 409 | 503 },
): Promise<Response> {
  const names = await assets.names();
  const root = rootOf(context.req.path);
  const asset = (name: string) => `${root}ops/assets/${names[name] ?? ''}`;
  const body = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · Liftline operations</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${asset('ops.css')}">
${page.isLive && html`<script type="module" src="${asset('watch.js')}"></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><span class="name">Liftline operations</span>${page.formToken !== undefined && menu(root, page.formToken)}</header>
<main id="main" tabindex="-1">${page.main}</main>
<p id="news" class="unseen" role="status" aria-live="polite"></p>
</body>
</html>
`;
  return context.body(String(body), status, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' });
}

/** Of the operators' forms: none has more than a key and a token. */
export const MAX_FORM_BYTES = 4_096;

/** Of every answer that is made for an operator. */
export const HEADERS = {
  'content-security-policy': POLICY,
  'cache-control': 'private, no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

function menu(root: string, formToken: string): Html {
  return html`<nav aria-label="Main"><a href="${root}ops">Pipeline</a> · <a href="${root}ops/queues">Queues</a> · <a href="${root}docs">API</a></nav>
<form method="post" action="${root}ops/sign-out"><input type="hidden" name="token" value="${formToken}"><button>Sign out</button></form>`;
}
