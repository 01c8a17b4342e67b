import type { Hono, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { HttpEnv } from '../platform/http-common.ts';

const READING = ['GET', 'HEAD'];
/** What a page may send besides what every page may. */
const REQUEST_HEADERS = ['Authorization', 'If-None-Match', 'Last-Event-ID', 'X-Request-Id'];
/** What a page may see besides what every page may (`Cache-Control`, `Content-Type` and a few more). */
const SHOWN_HEADERS = ['ETag', 'Retry-After', 'X-Request-Id', 'WWW-Authenticate', 'Liftline-As-Of', 'Liftline-Stale'];
/** How long a browser may remember a preflight's answer. */
const PREFLIGHT_S = 600;

/**
 * Lets pages of other origins read some routes. Their requests carry a token in a header or nothing: no cookies, so a page
 * reads what it has a token for, and never as somebody who is signed in elsewhere. Preflights are answered without
 * credentials, as browsers send them. Other methods on the same paths are left alone.
 *
 * @param to what the routes are mounted on; call it before mounting them
 * @param routes whose GET paths may be read
 * @param origins exact ones, or `*` alone; none: nothing is let
 */
export function letPagesRead(to: Hono<HttpEnv>, routes: readonly Hono<HttpEnv>[], origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allow = cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: READING,
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: SHOWN_HEADERS,
    maxAge: PREFLIGHT_S,
  });
  const whenReading: MiddlewareHandler<HttpEnv> = (context, next) => {
    const { method } = context.req;
    return READING.includes(method) || method === 'OPTIONS' ? allow(context, next) : next();
  };
  const paths = routes.flatMap((app) => app.routes.filter(({ method }) => method === 'GET').map(({ path }) => path));
  for (const path of new Set(paths)) to.use(path, whenReading);
}
