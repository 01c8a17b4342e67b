import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ReadSide, startReadSide, TOKEN_SECRET } from '../support/read-side.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };

function cookieOf(reply: Response): string[] {
  return (reply.headers.get('set-cookie') ?? '').split('; ');
}

/** @param end seconds from now, or a span such as `3000d` */
function tokenEndingIn(end: number | string): Promise<string> {
  return new SignJWT({ sub: '5' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('liftline')
    .setAudience('liftline')
    .setExpirationTime(typeof end === 'number' ? new Date(Date.now() + end * 1_000) : end)
    .sign(new TextEncoder().encode(TOKEN_SECRET));
}

describe('signing in to the pages', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide();
  });
  afterAll(() => side.stop());

  const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    side.get(path, headers, { redirect: 'manual', ...init });
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = FORM) =>
    ask(path, headers, { method: 'POST', body: new URLSearchParams(form).toString() });

  test('a link puts the token into a cookie for these pages alone, and leaves it out of the address', async () => {
    const reply = await ask(`/app/sign-in?token=${await tokenEndingIn(90)}`);
    expect([reply.status, reply.headers.get('location')]).toEqual([303, '../app']);
    expect(reply.headers.get('cache-control')).toBe('private, no-store');
    expect(reply.headers.get('referrer-policy')).toBe('no-referrer');
    const cookie = cookieOf(reply);
    expect(cookie).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Lax']));
    expect(cookie).not.toContain('Secure');
    expect(cookie.some((part) => part.startsWith('Path='))).toBe(false); // the browser's default: the folder, /app
    const maxAge = Number(cookie.find((part) => part.startsWith('Max-Age='))?.slice(8));
    expect(maxAge).toBeGreaterThan(80);
    expect(maxAge).toBeLessThanOrEqual(90);

    const page = await ask('/app', { cookie: cookie[0] ?? '' });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Sign out');
  });

  test('the cookie is Secure when the visitor came by https, and no older than browsers allow', async () => {
    const reply = await ask(`/app/sign-in?token=${await tokenEndingIn('3000d')}`, { 'x-forwarded-proto': 'https' });
    expect(cookieOf(reply)).toEqual(expect.arrayContaining(['Secure', `Max-Age=${400 * 86_400}`]));
  });

  test('a form does the same, and leads on to the day that was asked for', async () => {
    const day = await ask('/app/days/2026-01-02');
    expect([day.status, day.headers.get('location')]).toEqual([303, '../sign-in?to=days/2026-01-02']);
    const form = await (await ask('/app/sign-in?to=days/2026-01-02')).text();
    expect(form).toContain('name="to" value="days/2026-01-02"');

    const token = await tokenEndingIn(90);
    const reply = await post('/app/sign-in', { token: ` ${token}\n`, to: 'days/2026-01-02' });
    expect([reply.status, reply.headers.get('location')]).toEqual([303, './days/2026-01-02']);
    expect(cookieOf(reply)[0]).toBe(`liftline_skier=${token}`);
  });

  test.each(['//evil.example', 'https://evil.example', 'days/../../x', 'days/2026-01-02"><script>'])(
    'it leads nowhere else: %s',
    async (to) => {
      const reply = await post('/app/sign-in', { token: await tokenEndingIn(90), to });
      expect(reply.headers.get('location')).toBe('../app');
      expect(await (await ask(`/app/sign-in?to=${encodeURIComponent(to)}`)).text()).not.toContain('name="to"');
    },
  );

  test.each([
    ['nothing', ''],
    ['another text', 'x.y.z'],
    ['a device key', `ll_dev_${'d'.repeat(43)}`],
  ])('%s is no token: the form says so, and nothing is kept', async (_what, token) => {
    const replies = [await ask(`/app/sign-in?token=${token}`), await post('/app/sign-in', { token })];
    expect(replies.map(({ headers }) => headers.get('referrer-policy'))).toEqual(['strict-origin', 'same-origin']);
    for (const reply of replies) {
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
      expect(reply.headers.get('set-cookie')).toBeNull();
      expect(await reply.text()).toContain('This token is not valid');
    }
  });

  test('a token that has ended, in the form or in the cookie', async () => {
    const ended = await tokenEndingIn(-10);
    expect((await post('/app/sign-in', { token: ended })).status).toBe(401);
    const page = await ask('/app', { cookie: `liftline_skier=${ended}` });
    expect([page.status, page.headers.get('location')]).toEqual([303, './app/sign-in']);
  });

  test('one that no browser would keep is refused, and a form that is far too long', async () => {
    const long = await post('/app/sign-in', { token: 'x'.repeat(5_000) });
    expect([long.status, await long.text()]).toEqual([401, expect.stringContaining('too long')]);
    expect((await post('/app/sign-in', { token: 'x'.repeat(20_000) })).status).toBe(413);
  });

  const TYPE = { 'content-type': FORM['content-type'] };
  test.each([
    ['says so', { ...TYPE, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['is a neighbour', { ...TYPE, 'sec-fetch-site': 'same-site' }],
    ['says only its origin', { ...TYPE, origin: 'http://evil.example' }],
    ['hides its origin', { ...TYPE, origin: 'null' }],
  ])('a form of another site, which %s, neither signs in nor out', async (_how, foreign) => {
    const token = await tokenEndingIn(90);
    for (const reply of [await post('/app/sign-in', { token }, foreign), await post('/app/sign-out', {}, foreign)]) {
      expect(reply.status).toBe(403);
      expect(reply.headers.get('set-cookie')).toBeNull();
    }
  });

  test.each([
    ['of this address', { ...TYPE, origin: 'https://rides.test:8443' }], // TLS and port are the gateway's
    ['of no browser', TYPE],
  ])('a form %s is taken', async (_whose, headers) => {
    expect((await post('/app/sign-in', { token: await tokenEndingIn(90) }, headers)).status).toBe(303);
  });

  test('signing out ends the cookie', async () => {
    const reply = await post('/app/sign-out', {});
    expect([reply.status, reply.headers.get('location')]).toEqual([303, './sign-in']);
    expect(cookieOf(reply)).toEqual(expect.arrayContaining(['liftline_skier=', 'Max-Age=0']));
  });
});
