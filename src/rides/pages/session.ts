import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { decodeJwt } from 'jose';
import type { HttpEnv } from '../../platform/http-common.ts';
import { setSessionCookie } from '../../platform/session-cookie.ts';

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
 * Keeps a token, once it was checked, in a cookie that other sites' forms do not send, and that ends with the token. Its path
 * is `/app`, so only pages right below that may call this.
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

function setCookie(context: Context<HttpEnv>, value: string, maxAgeS: number): void {
  setSessionCookie(context, { name: COOKIE, value, maxAgeS, sameSite: 'Lax' });
}
