import type { Context, MiddlewareHandler } from 'hono';
import { Problem } from '../domain/problem.ts';
import type { HttpEnv } from './http-common.ts';

/**
 * Refuses forms that another site's page has sent. Browsers say where a form comes from: over https by `Sec-Fetch-Site`, else by
 * `Origin`, of which the host must be ours (what is in front of this process may have another scheme and port); it is `null`
 * from a page whose referrer policy is `no-referrer`. Whoever says nothing is no browser, and brings no cookies of somebody else.
 */
export const refuseForeignForms: MiddlewareHandler<HttpEnv> = async (context, next) => {
  if (context.req.method === 'POST' && isForeign(context)) {
    throw new Problem('forbidden', 'This form came from another site');
  }
  await next();
};

function isForeign(context: Context<HttpEnv>): boolean {
  const site = context.req.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = context.req.header('origin');
  return origin !== undefined && hostOf(origin) !== hostOf(context.req.url);
}

/** @returns undefined for what is no address, as the `null` of a page that hides where it is from */
function hostOf(address: string): string | undefined {
  return URL.parse(address)?.hostname;
}
