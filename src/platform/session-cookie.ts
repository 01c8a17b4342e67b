import type { Context } from 'hono';
import { serialize } from 'hono/utils/cookie';
import type { HttpEnv } from './http-common.ts';

/**
 * Sets a cookie that no script sees, and that goes over https alone when the visitor came by it. Without a `Path` its path is
 * that of the page which sets it, up to its last slash: also where clients put a prefix before it that this process knows
 * nothing of.
 *
 * @param o.maxAgeS seconds; 0 ends it
 */
export function setSessionCookie(
  context: Context<HttpEnv>,
  o: { name: string; value: string; maxAgeS: number; sameSite: 'Lax' | 'Strict' },
): void {
  const { name, value, maxAgeS: maxAge, sameSite } = o;
  const secure = isSecure(context);
  context.header('set-cookie', serialize(name, value, { httpOnly: true, sameSite, secure, maxAge }));
}

/** What is in front of this process says how the visitor came. */
function isSecure(context: Context<HttpEnv>): boolean {
  const forwarded = context.req.header('x-forwarded-proto')?.split(',')[0]?.trim();
  return (forwarded ?? new URL(context.req.url).protocol.slice(0, -1)) === 'https';
}
