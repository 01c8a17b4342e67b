import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { serialize } from 'hono/utils/cookie';
import { decodeJwt } from 'jose';
import type { HttpEnv } from '../../platform/http-common.ts';

const COOKIE = 'liftline_skier';
/** Browsers keep no cookie longer (RFC 6265bis 5.5). */
const MAX_AGE_S = 400 * 86_400;
/** They drop larger ones without a word: name, value and attributes together are 4,096 bytes. */
const MAX_TOKEN_LENGTH = 3_900;

/** @returns whether a cookie can hold it */
export function isKeepable(token: string): boolean {
  return token.length <= MAX_TOKEN_LENGTH;
}

/** @returns the token that the visitor signed in with, still to be checked */
export function tokenOf(context: Context<HttpEnv>): string | undefined {
  return getCookie(context, COOKIE);
}

/**
 * Keeps a token, once it was checked, in a cookie that no script sees, that other sites' forms do not send, and that ends with
 * the token. Without a `Path` its path is that of the page which sets it, up to its last slash: `/app`, also where clients put
 * a prefix before it that this process knows nothing of. So only pages right below `/app` may call this.
 */
export function keepToken(context: Context<HttpEnv>, token: string): void {
  const expiresS = decodeJwt(token).exp ?? 0;
  const leftS = Math.floor(expiresS - Date.now() / 1000);
  setCookie(context, token, Math.min(Math.max(leftS, 0), MAX_AGE_S));
}

/** Like {@link keepToken}, only for pages right below `/app`. */
export function forgetToken(context: Context<HttpEnv>): void {
  setCookie(context, '', 0);
}

function setCookie(context: Context<HttpEnv>, value: string, maxAge: number): void {
  const secure = isSecure(context);
  context.header('set-cookie', serialize(COOKIE, value, { httpOnly: true, sameSite: 'Lax', secure, maxAge }));
}

/** Whether the visitor came by https: what is in front of this process says so. */
function isSecure(context: Context<HttpEnv>): boolean {
  const forwarded = context.req.header('x-forwarded-proto')?.split(',')[0]?.trim();
  return (forwarded ?? new URL(context.req.url).protocol.slice(0, -1)) === 'https';
}
