import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import { handleErrors, type HttpEnv, notFound, observe, probes } from '../../src/platform/http-common.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createMetrics } from '../../src/platform/metrics.ts';

function testApp(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger({ level, process: 'test', destination: { write } });
  const metrics = createMetrics('test');
  const app = new Hono<HttpEnv>();
  app.onError(handleErrors(logger));
  app.notFound(notFound);
  app.use(observe(metrics, logger));
  app.get('/ok/:id', (c) => c.json({ requestId: c.get('requestId') }));
  app.get('/busy', () => {
    throw new Problem('overloaded', 'come again', { retryAfterS: 3 });
  });
  app.get('/broken', () => {
    throw new Error('the password is sesame');
  });
  app.get('/nobody', () => {
    throw new Problem('unauthorized', 'who are you');
  });
  return { app, lines, metrics };
}

describe('errors', () => {
  test('a problem is answered as RFC 9457 says, with Retry-After', async () => {
    const { app } = testApp();
    const response = await app.request('/busy', { headers: { 'x-request-id': 'abc-1' } });
    expect(response.status).toBe(503);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'There is too much to do',
      status: 503,
      code: 'overloaded',
      detail: 'come again',
      requestId: 'abc-1',
    });
  });

  test('an unknown error leaves as an opaque 500 and is logged whole, under the same request id', async () => {
    const { app, lines } = testApp();
    const response = await app.request('/broken');
    expect(response.status).toBe(500);
    const body = (await response.json()) as { code: string; requestId: string };
    expect(body.code).toBe('internal');
    expect(JSON.stringify(body)).not.toContain('sesame');
    expect(lines[0]).toMatchObject({
      level: 'error',
      requestId: body.requestId,
      err: { message: 'the password is sesame' },
    });
    expect(lines[1]).toMatchObject({ level: 'error', status: 500, route: '/broken' });
  });

  test('what does not exist is a problem too; missing credentials name their scheme', async () => {
    const { app } = testApp();
    expect(await (await app.request('/nothing')).json()).toMatchObject({ code: 'not_found', status: 404 });
    expect((await app.request('/nobody')).headers.get('www-authenticate')).toBe('Bearer');
  });
});

describe('observation', () => {
  test('times requests by route and status, and keeps mean and maximum', async () => {
    const { app, metrics } = testApp();
    for (const path of ['/ok/1', '/ok/2', '/busy']) await app.request(path);
    const text = await metrics.registry.metrics();
    expect(text).toContain('liftline_http_request_seconds_count{method="GET",route="/ok/:id",status="200"} 2');
    expect(text).toContain('liftline_http_request_seconds_count{method="GET",route="/busy",status="503"} 1');
    const [ok] = metrics.endpoints();
    expect(ok).toMatchObject({ method: 'GET', route: '/ok/:id', count: 2 });
    expect(ok?.maxMs).toBeLessThanOrEqual(ok?.totalMs ?? 0);
  });

  test('gives each request an id, the caller’s where it is a sane one', async () => {
    const { app } = testApp();
    const idOf = async (given?: string) => {
      const response = await app.request('/ok/1', given === undefined ? {} : { headers: { 'x-request-id': given } });
      return ((await response.json()) as { requestId: string }).requestId;
    };
    expect(await idOf('gate-7:4711')).toBe('gate-7:4711');
    expect(await idOf('x'.repeat(129))).not.toContain('xxx');
    expect(await idOf('a b')).not.toBe('a b');
    expect(await idOf()).not.toBe(await idOf());
  });

  test('says nothing of what went well, and one line a second of what is refused', async () => {
    const { app, lines } = testApp();
    for (const path of ['/ok/1', '/nobody', '/busy', '/busy', '/busy']) await app.request(path);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ msg: 'refused', status: 503, reason: 'come again' });
  });

  test('says everything at level debug', async () => {
    const { app, lines } = testApp('debug');
    await app.request('/ok/1');
    expect(lines).toMatchObject([{ level: 'debug', method: 'GET', route: '/ok/:id', status: 200 }]);
  });
});

describe('probes', () => {
  test('alive, not ready with what is missing, then ready; metrics as text', async () => {
    let ready: true | string = 'waiting for the directory';
    const app = probes({ ready: () => ready, metrics: () => Promise.resolve('a 1\n') });
    expect((await app.request('/healthz')).status).toBe(200);
    const response = await app.request('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'starting', detail: 'waiting for the directory' });
    ready = true;
    expect((await app.request('/readyz')).status).toBe(200);
    expect(await (await app.request('/metrics')).text()).toBe('a 1\n');
  });
});
