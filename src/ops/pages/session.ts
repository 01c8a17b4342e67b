import { createHmac } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { isSameSecret } from '../../platform/credentials.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import { setSessionCookie } from '../../platform/session-cookie.ts';

const COOKIE = 'liftline_operator';
/** Half an hour from signing in, whatever is done meanwhile: a console that is left open closes by itself. */
const SESSION_S = 1_800;
const VALUE = /^(\d{1,12})\.([\w-]{43})$/;

/**
 * Operators' sessions, without a place where they are kept: a cookie says until when it is good, signed with a key made of the
 * admin key. So every ops process takes it, and a new admin key ends all sessions.
 */
export class OperatorSessions {
  readonly #key: Buffer;
  readonly #now: () => number;

  /** @param now milliseconds since the epoch; the machine's clock unless given */
  constructor(adminKey: string, now: () => number = Date.now) {
    this.#key = createHmac('sha256', adminKey).update('liftline operator session').digest();
    this.#now = now;
  }

  /** To be called by pages right below `/ops`: that is the cookie's path. */
  begin(context: Context<HttpEnv>): void {
    const untilS = String(Math.floor(this.#now() / 1000) + SESSION_S);
    setCookie(context, `${untilS}.${this.#sign(`until ${untilS}`)}`, SESSION_S);
  }

  end(context: Context<HttpEnv>): void {
    setCookie(context, '', 0);
  }

  /** @returns what forms have to send along, or undefined without a session that is good */
  formToken(context: Context<HttpEnv>): string | undefined {
    const value = getCookie(context, COOKIE) ?? '';
    const [, untilS = '', signature = ''] = VALUE.exec(value) ?? [];
    if (!isSameSecret(signature, this.#sign(`until ${untilS}`)) || Number(untilS) * 1000 < this.#now())
      return undefined;
    return this.#sign(`form ${value}`);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function setCookie(context: Context<HttpEnv>, value: string, maxAgeS: number): void {
  setSessionCookie(context, { name: COOKIE, value, maxAgeS, sameSite: 'Strict' });
}
