import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, selfSignedCertificate } from '../../loadtest/stack/nginx.ts';
import { type Stack, startStack } from '../../loadtest/stack.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { goodScan } from '../support/edge.ts';
import { openEventStream } from '../support/event-stream.ts';
import { askHttp2, gatewayAvailable, newRequestId, startGateway } from '../support/gateway.ts';
import { problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

let stack: Stack;
let gateway: Gateway;
let tls: { certificateFile: string; keyFile: string };

const asDevice = () => ({ authorization: `Bearer ${stack.deviceKey}`, 'content-type': 'application/json' });
const asAdmin = () => ({ authorization: `Bearer ${stack.adminKey}`, 'content-type': 'application/json' });
const asSkier = async () => ({ authorization: `Bearer ${await signSkierToken(stack.tokenSecret, 1, 300)}` });

/** Sends a request. @returns its reply, and what the access log says of it */
async function send(method: string, target: string, headers: Record<string, string> = {}, body?: unknown) {
  const requestId = newRequestId();
  const reply = await fetch(`${gateway.url}${target}`, {
    method,
    headers: { ...headers, 'x-request-id': requestId },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { reply, line: () => lineOf(requestId) };
}

function lineOf(requestId: string): Promise<Record<string, unknown>> {
  return until('the access log has the request', async () =>
    (await gateway.accessLog()).find((line) => line.requestId === requestId),
  );
}

function partOf(upstream: unknown): string {
  const has = (processes: readonly { url: string }[]) => processes.some(({ url }) => new URL(url).host === upstream);
  if (has(stack.edges)) return 'edge';
  if (has(stack.rides)) return 'rides';
  return has([stack.ops]) ? 'ops' : 'nobody';
}

const RIDE = '/skiers/1/seasons/2025/days/1/skiers/1';
/** For tests that read the access log. */
const unbuffered = (text: string) => text.replace(' buffer=64k flush=1s', '');
const smallBurst = (text: string) => text.replace('burst=10000', 'burst=3');

describe.skipIf(!gatewayAvailable)('nginx with deploy/nginx.conf before edges, rides and ops', () => {
  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', edges: 2, workers: 1 });
    tls = await selfSignedCertificate(stack.folder);
    gateway = await startGateway(stack, { folder: stack.folder, tls, change: unbuffered });
  }, 120_000);
  afterAll(async () => {
    await gateway?.process.stop();
    await stack?.stop();
  });

  test.each([
    ['POST', '/v1/scans', 'edge', 400],
    ['POST', '/v1/scans/batch', 'edge', 400],
    ['GET', '/v1/scans', 'edge', 405],
    ['POST', RIDE, 'edge', 400],
    ['GET', RIDE, 'rides', 404],
    ['GET', '/skiers/7/vertical?resort=1', 'rides', 404],
    ['GET', '/v1/skiers/7/rides', 'rides', 200],
    ['GET', '/v1/resorts', 'rides', 200],
    ['GET', '/v1/resorts/1', 'rides', 200],
    ['GET', '/resorts', 'rides', 200],
    ['GET', '/resorts/1/seasons', 'rides', 200],
    ['POST', '/resorts/1/seasons', 'ops', 400],
    ['GET', '/ops/status', 'ops', 200],
    ['POST', '/ops/devices', 'ops', 400],
    ['GET', '/openapi.json', 'rides', 200],
    ['GET', '/edge/openapi.json', 'edge', 200],
    ['GET', '/ops/openapi.json', 'ops', 200],
    ['GET', '/no/such/path', 'rides', 404],
    ['GET', '/metrics', 'nobody', 404],
    ['GET', '/readyz', 'nobody', 404],
  ] as const)('%s %s is for %s', async (method, target, part, status) => {
    const headers = part === 'edge' ? asDevice() : asAdmin();
    const { reply, line } = await send(method, target, headers, method === 'POST' ? {} : undefined);
    await reply.text();
    expect(partOf((await line()).upstream)).toBe(part);
    expect(reply.status).toBe(status);
  });

  test('has a health of its own', async () => {
    expect(await (await fetch(`${gateway.url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  test('speaks HTTP/2, both ways', async () => {
    const tlsUrl = gateway.tlsUrl as string;
    const read = await askHttp2(tlsUrl, tls.certificateFile, { method: 'GET', path: '/v1/resorts' });
    expect(read.alpn).toBe('h2');
    expect(read.headers[':status']).toBe(200);
    expect(JSON.parse(read.body)).toHaveProperty('resorts');
    const posted = await askHttp2(tlsUrl, tls.certificateFile, {
      method: 'POST',
      path: '/v1/scans',
      headers: asDevice(),
      body: JSON.stringify(goodScan()),
    });
    expect(posted.headers[':status']).toBe(202);
  });

  test('compresses what is long, and takes compressed batches', async () => {
    const long = await fetch(`${gateway.url}/v1/resorts/1`, { headers: { 'accept-encoding': 'gzip' } });
    expect(long.headers.get('content-encoding')).toBe('gzip');
    expect(await long.json()).toHaveProperty('lifts');
    const short = await fetch(`${gateway.url}/healthz`, { headers: { 'accept-encoding': 'gzip' } });
    expect(short.headers.get('content-encoding')).toBeNull();
    await short.text();
    const posted = await fetch(`${gateway.url}/v1/scans/batch`, {
      method: 'POST',
      headers: { ...asDevice(), 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify({ scans: [goodScan(), goodScan()] })),
    });
    expect(posted.status).toBe(202);
    await posted.text();
  });

  test('keeps what is public for a moment, and never what is a skier’s', async () => {
    const statuses: (string | null)[] = [];
    for (const headers of [{}, {}, asAdmin()] as Record<string, string>[]) {
      const { reply } = await send('GET', '/v1/resorts/2', headers);
      await reply.text();
      statuses.push(reply.headers.get('x-cache-status'));
    }
    expect(statuses).toEqual(['MISS', 'HIT', 'BYPASS']);

    for (const target of ['/v1/skiers/1/rides', '/v1/skiers/1/days', RIDE, '/skiers/1/vertical?resort=1']) {
      for (let i = 0; i < 2; i += 1) {
        const { reply, line } = await send('GET', target, await asSkier());
        await reply.text();
        expect(reply.headers.get('x-cache-status')).toBeNull();
        // their own client may keep it, and asks each time whether it still holds
        expect(reply.headers.get('cache-control')).toMatch(/^private, no-(store|cache)$/);
        expect(partOf((await line()).upstream)).toBe('rides');
      }
    }
    expect((await send('GET', '/v1/skiers/1/rides')).reply.status).toBe(401);
    expect((await send('GET', '/v1/skiers/1/rides/..%2F..%2F..%2Fresorts', await asSkier())).reply.status).toBe(404);
  });

  test('lets clients ask whether what they have still holds: of its own, and through to the process', async () => {
    for (const [target, headers] of [
      ['/v1/resorts/3/days/2025-12-24', {}],
      ['/v1/skiers/1/days', await asSkier()],
    ] as [string, Record<string, string>][]) {
      const first = (await send('GET', target, headers)).reply;
      const body = await first.text();
      expect(JSON.parse(body)).toHaveProperty('asOf');
      const again = (await send('GET', target, { ...headers, 'if-none-match': first.headers.get('etag') ?? '' })).reply;
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
  });

  test('passes live rides on as they come, and what the process says of the stream', async () => {
    const stream = await openEventStream(`${gateway.url}/v1/skiers/1/live`, await asSkier());
    expect(stream.status).toBe(200);
    expect(stream.headers['cache-control']).toBe('private, no-store');
    await stream.next('hello');
    const scan = goodScan();
    const { reply } = await send('POST', '/v1/scans', asDevice(), { ...scan, skierId: 1 });
    const { eventId } = (await reply.json()) as { eventId: string };
    expect((await stream.next('ride')).data).toMatchObject({ eventId });
    stream.close();
    expect((await openEventStream(`${gateway.url}/v1/skiers/2/live`, await asSkier())).status).toBe(404);
  });

  test('shows the pages: a skier’s to nobody else, and to the log no token', async () => {
    const token = await signSkierToken(stack.tokenSecret, 1, 300);
    const address = `/app/sign-in?token=${token}`;
    const signedIn = await askHttp2(gateway.tlsUrl ?? '', tls.certificateFile, { method: 'GET', path: address });
    expect(signedIn.headers).toMatchObject({ ':status': 303, location: '../app' });
    const cookie = String(signedIn.headers['set-cookie']);
    expect(cookie).toContain('Secure');
    for (let i = 0; i < 2; i += 1) {
      const { reply, line } = await send('GET', '/app', { cookie: cookie.split(';')[0] ?? '' });
      expect(await reply.text()).toContain('Sign out');
      expect(reply.headers.get('cache-control')).toBe('private, no-store');
      expect(partOf((await line()).upstream)).toBe('rides');
    }
    const resort = await send('GET', '/resorts/1');
    expect(await resort.reply.text()).toContain('<h1 id="title">Sonnkogel Arena</h1>');
    expect(resort.reply.headers.get('cache-control')).toBe('public, max-age=5');
    expect(JSON.stringify(await gateway.accessLog())).not.toContain(token);
  });

  test('passes the caller’s request id on, and makes one where it is none', async () => {
    const mine = await fetch(`${gateway.url}/v1/scans`, { method: 'POST', headers: { 'x-request-id': 'gate-7.42' } });
    expect(mine.headers.get('x-request-id')).toBe('gate-7.42');
    expect(await mine.json()).toMatchObject({ requestId: 'gate-7.42' });
    const made = await fetch(`${gateway.url}/v1/scans`, { method: 'POST', headers: { 'x-request-id': 'a b' } });
    const { requestId } = (await made.json()) as { requestId: string };
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(made.headers.get('x-request-id')).toBe(requestId);
  });

  test('lets an edge refuse a large body, and refuses a very large one itself, in the same form', async () => {
    for (const size of [1_200_000, 2_300_000]) {
      const { reply } = await send('POST', '/v1/scans/batch', asDevice(), 'x'.repeat(size));
      expect(await problemOf(reply)).toEqual([413, 'too_large']);
    }
  });

  test('a 503 of an edge is its answer: passed on as it is, not tried again, and no reason to leave the edge', async () => {
    stack.redis?.process.signal('SIGSTOP');
    const refused = await until('the edges refuse', async () => {
      const sent = await send('POST', '/v1/scans', asDevice(), goodScan());
      if (sent.reply.status === 503) return sent;
      await sent.reply.text();
      return undefined;
    });
    expect(refused.reply.headers.get('retry-after')).toBe('1');
    expect(await problemOf(refused.reply)).toEqual([503, 'queue_unavailable']);
    expect((await refused.line()).upstreamStatus).toBe('503');
    for (let i = 0; i < 20; i += 1) {
      expect(await problemOf((await send('POST', '/v1/scans', asDevice(), goodScan())).reply)).toEqual([
        503,
        'queue_unavailable',
      ]);
    }
    stack.redis?.process.signal('SIGCONT');
    await until('scans are taken again', async () => {
      const { reply } = await send('POST', '/v1/scans', asDevice(), goodScan());
      await reply.text();
      return reply.status === 202;
    });
  });

  test('one address has its limit', async () => {
    const folder = path.join(stack.folder, 'limited');
    await mkdir(folder);
    const limited = await startGateway(stack, { folder, requestsPerS: 1, change: smallBurst });
    try {
      const refused = await until('a request is refused', async () => {
        const reply = await fetch(`${limited.url}/v1/resorts`);
        if (reply.status === 429) return reply;
        await reply.text();
        return undefined;
      });
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await problemOf(refused)).toEqual([429, 'quota_exceeded']);
    } finally {
      await limited.process.stop();
    }
  });
});
