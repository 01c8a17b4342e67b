import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OperatorSessions } from '../../src/ops/pages/session.ts';
import { Hono } from 'hono';
import { type AllInOne, startAllInOne } from '../support/all-in-one.ts';
import { buryScan } from '../support/dead-letter.ts';
import { scanNo, skierOn } from '../support/nodes.ts';
import { until } from '../support/until.ts';

let all: AllInOne;
beforeAll(async () => {
  all = await startAllInOne();
});
afterAll(() => all.stop());

const SKIER = skierOn(0);

interface Asked {
  cookie?: string;
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

const ask = (path: string, { cookie, form, headers = {} }: Asked = {}) =>
  fetch(`${all.url}${path}`, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: { ...(cookie !== undefined && { cookie }), ...(form && { origin: all.url }), ...headers },
    ...(form && { body: new URLSearchParams(form) }),
  });

async function signIn(key = all.adminKey): Promise<string> {
  const response = await ask('/ops/sign-in', { form: { key } });
  expect(response.status).toBe(303);
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
const triedWith = async (key: string) => (await ask('/ops/sign-in', { form: { key } })).status;
const tokenIn = async (response: Response) => /name="token" value="([\w-]+)"/.exec(await response.text())?.[1] ?? '';

describe('the operator’s session', () => {
  test('begins with the admin key, in a cookie that no script sees and that no other site sends', async () => {
    expect((await ask('/ops')).headers.get('location')).toBe('ops/sign-in');
    const response = await ask('/ops/sign-in', { form: { key: all.adminKey } });
    expect(response.headers.get('location')).toBe('../ops');
    expect(response.headers.get('set-cookie')).toMatch(/; Max-Age=1800; HttpOnly; SameSite=Strict$/);
    const https = await ask('/ops/sign-in', { form: { key: all.adminKey }, headers: { 'x-forwarded-proto': 'https' } });
    expect(https.headers.get('set-cookie')).toContain('Secure');
    const page = await ask('/ops', { cookie: await signIn() });
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('a wrong key, a forged cookie, one that is over, one of another key: no page', async () => {
    const wrong = await ask('/ops/sign-in', { form: { key: 'another-key-of-20-characters' } });
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
    const cookie = await signIn();
    const [name, value = ''] = cookie.split('=');
    const later = String(Number(value.split('.')[0]) + 1);
    for (const forged of ['', 'x', value.replace(/^\d+/, later), `${value}x`, `1.${value.split('.')[1]}`]) {
      expect((await ask('/ops', { cookie: `${name}=${forged}` })).status).toBe(303);
      expect((await ask('/ops/pipeline', { cookie: `${name}=${forged}` })).status).toBe(401);
    }
  });

  test('ends after half an hour, with another admin key, and when it is signed out', async () => {
    const now = { ms: 1_000_000 };
    const app = new Hono()
      .get('/begin', (c) => {
        new OperatorSessions('key one', () => now.ms).begin(c as never);
        return c.body(null);
      })
      .get('/is/:key', (c) =>
        c.json(new OperatorSessions(c.req.param('key'), () => now.ms).formToken(c as never) !== undefined),
      );
    const cookie = ((await app.request('/begin')).headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const isGood = async (key: string) => (await app.request(`/is/${key}`, { headers: { cookie } })).json();
    expect([await isGood('key one'), await isGood('key two')]).toEqual([true, false]);
    now.ms += 1_801_000;
    expect(await isGood('key one')).toBe(false);
    const out = await ask('/ops/sign-out', { cookie: await signIn(), form: {} });
    expect(out.headers.get('set-cookie')).toMatch(/^liftline_operator=; Max-Age=0/);
  });

  test.each([
    ['of this host, behind a gateway with TLS and a port of its own', { origin: 'https://127.0.0.1:8443' }, 303],
    ['of this host, over plain http on another port', { origin: 'http://127.0.0.1:8081' }, 303],
    [
      'of this page, as browsers say it over https',
      { origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' },
      303,
    ],
    ['of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    ['of a neighbour', { 'sec-fetch-site': 'same-site' }, 403],
    ['of a page that says only its origin', { origin: 'http://evil.example' }, 403],
    ['of a page that hides its origin', { origin: 'null' }, 403],
  ])('a form %s: %j is %i', async (_whose, headers, status) => {
    for (const [path, form] of [
      ['/ops/sign-in', { key: all.adminKey }],
      ['/ops/sign-out', {}],
    ] as const) {
      const reply = await ask(path, { form, headers });
      expect([path, reply.status, reply.headers.has('set-cookie')]).toEqual([path, status, status === 303]);
    }
  });

  const LETTER = 'letters/0197a0de-0000-7000-8000-00000000000A';

  test('begins at the letter that a link led to', async () => {
    const asked = await ask(`/ops/${LETTER}`);
    expect([asked.status, asked.headers.get('location')]).toEqual([303, `../../ops/sign-in?to=${LETTER}`]);
    const decided = await ask(`/ops/${LETTER}/discard`, { form: {} });
    expect(decided.headers.get('location')).toBe(`../../../ops/sign-in?to=${LETTER}`);
    const field = `name="to" value="${LETTER}"`;
    expect(await (await ask(`/ops/sign-in?to=${LETTER}`)).text()).toContain(field);
    const wrong = await ask('/ops/sign-in', { form: { key: 'x', to: LETTER } });
    expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining(field)]);
    const signedIn = await ask('/ops/sign-in', { form: { key: all.adminKey, to: LETTER } });
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, `./${LETTER}`]);
  });

  test.each([
    '//evil.example',
    'https://evil.example',
    `//evil.example/${LETTER}`,
    `${LETTER}/../../..`,
    `${LETTER}/discard`,
    `${LETTER}\n`,
    'letters/..%2F..%2Fapp',
    'queues',
    `${LETTER}"><script>`,
  ])('leads nowhere else: %j', async (to) => {
    expect(await (await ask(`/ops/sign-in?to=${encodeURIComponent(to)}`)).text()).not.toContain('name="to"');
    const signedIn = await ask('/ops/sign-in', { form: { key: all.adminKey, to } });
    expect(signedIn.headers.get('location')).toBe('../ops');
  });

  test('a letter that can’t be is not told as a way', async () => {
    expect((await ask('/ops/letters/%2F%2Fevil.example')).headers.get('location')).toBe('../../ops/sign-in');
  });

  test('whoever tries wrong keys locks nobody out', async () => {
    const wrong = await Promise.all(
      Array.from({ length: 25 }, (_, i) => triedWith(`a-wrong-key-of-20-characters-${i}`)),
    );
    expect(new Set(wrong)).toEqual(new Set([401]));
    expect(await triedWith(all.adminKey)).toBe(303);
  });

  test('the JSON routes want the bearer, and no cookie', async () => {
    const cookie = await signIn();
    expect((await ask('/ops/status', { cookie })).status).toBe(401);
    expect((await ask('/ops/status', { headers: { authorization: `Bearer ${all.adminKey}` } })).status).toBe(200);
  });
});

const bury = (number: number) =>
  buryScan(all.site.nodeUrls[0] ?? '', scanNo(number, { skierId: SKIER, resortId: 1, day: 1, date: '2026-01-10' }), {
    lane: 0,
    shard: 0,
  });
const ridesOf = async (skierId: number) => {
  const headers = { authorization: `Bearer ${await all.token(skierId)}` };
  const text = await (await ask(`/v1/skiers/${skierId}/rides`, { headers })).text();
  return (JSON.parse(text) as { rides: unknown[] }).rides.length;
};

describe('a dead letter', () => {
  test('is listed with its reason; replayed it becomes a ride, and the page says so', async () => {
    const id = await bury(1);
    const cookie = await signIn();
    expect(await (await ask('/ops', { cookie })).text()).toContain('violates season_day');
    const token = await tokenIn(await ask(`/ops/letters/${id}`, { cookie }));
    const done = await ask(`/ops/letters/${id}/replay`, { cookie, form: { token } });
    expect([done.status, done.headers.get('location')]).toEqual([303, '../../../ops?done=replay']);
    await until('it is a ride', async () => (await ridesOf(SKIER)) === 1);
    expect(await (await ask('/ops?done=replay', { cookie })).text()).toContain('back in its lane');
    expect((await ask(`/ops/letters/${id}`, { cookie })).status).toBe(404);
  });

  test('discarded it is gone', async () => {
    const id = await bury(2);
    const cookie = await signIn();
    const token = await tokenIn(await ask(`/ops/letters/${id}`, { cookie }));
    expect((await ask(`/ops/letters/${id}/discard`, { cookie, form: { token } })).status).toBe(303);
    expect((await ask(`/ops/letters/${id}`, { cookie })).status).toBe(404);
  });

  test('nothing is done for another site, without the form’s token, or without a session', async () => {
    const id = await bury(3);
    const cookie = await signIn();
    const token = await tokenIn(await ask(`/ops/letters/${id}`, { cookie }));
    const statusOf = async (o: Asked) => (await ask(`/ops/letters/${id}/discard`, o)).status;
    expect(await statusOf({ cookie, form: { token }, headers: { origin: 'https://evil.example' } })).toBe(403);
    expect(await statusOf({ cookie, form: {} })).toBe(403);
    expect(await statusOf({ cookie, form: { token: `${token}x` } })).toBe(403);
    expect(await statusOf({ form: { token } })).toBe(303);
    expect((await ask(`/ops/letters/${id}`, { cookie })).status).toBe(200);
  });
});

describe('the picture', () => {
  test('is told over HTTP: processes, lanes, nodes and the sums', async () => {
    const cookie = await signIn();
    const text = await until('rates are known', async () => {
      const html = await (await ask('/ops/pipeline', { cookie })).text();
      return /Workers <span class="count">1</.test(html) && html;
    });
    expect(text).toMatch(/Edges <span class="count">1</);
    expect(text).toContain('node-1');
    expect(text).toMatch(/<b>\d+<\/b> enqueued/);
  });
});
