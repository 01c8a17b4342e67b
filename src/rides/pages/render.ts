import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { BrowserAssets } from '../../platform/browser-assets.ts';
import { type HttpEnv, requestHeader } from '../../platform/http-common.ts';
import { linksFrom } from './links.ts';
import { frame, type Page, type Setting } from './parts/frame.ts';
import type { Visitor } from './visitor.ts';

/** Styles and scripts from here alone, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Who may keep a page: what is a skier's, nobody; what is public, everybody for so many seconds. */
export type Keeping = 'nobody' | { seconds: number };

export interface Rendering {
  status?: ContentfulStatusCode;
  keeping: Keeping;
  headers?: Record<string, string>;
}

/** Puts pages into their frame and answers with them. */
export interface Renderer {
  setting(context: Context<HttpEnv>): Promise<Setting>;
  answer(context: Context<HttpEnv>, page: Page, setting: Setting, o: Rendering): Promise<Response>;
}

export function renderer(o: {
  assets: BrowserAssets;
  visitorOf: (acceptLanguage: string | undefined) => Visitor;
}): Renderer {
  return {
    async setting(context) {
      return {
        visitor: o.visitorOf(requestHeader(context, 'accept-language')),
        links: linksFrom(context.req.path),
        assets: await o.assets.names(),
        now: Date.now(),
      };
    },
    async answer(context, page, setting, { status = 200, keeping, headers = {} }) {
      const body = await frame(page, setting);
      return context.body(String(body), status, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': POLICY,
        'referrer-policy': 'same-origin', // with none, forms would say that their origin is `null`
        'x-content-type-options': 'nosniff',
        'cache-control': keeping === 'nobody' ? 'private, no-store' : `public, max-age=${keeping.seconds}`,
        vary: 'Accept-Language',
        ...headers,
      });
    },
  };
}
