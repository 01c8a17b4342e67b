import { connect } from 'node:net';
import { once } from 'node:events';
import { Agent, request, type ServerResponse } from 'node:http';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { replaceableApp } from '../../src/cli/http-app.ts';
import { ConfigError } from '../../src/platform/config.ts';
import type { HttpEnv } from '../../src/platform/http-common.ts';
import { checkPortIsFree, listen, normalizePath, type ServedApp } from '../../src/platform/http-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { until } from '../support/until.ts';

const logger = createLogger({ level: 'silent', process: 'test' });
let lifecycle = new Lifecycle({ logger });
afterEach(async () => {
  await lifecycle.stop(10_000);
  lifecycle = new Lifecycle({ logger });
});

function serve(app: ServedApp, pathPrefix = '') {
  return listen(app, { host: '127.0.0.1', port: 0, logger, lifecycle, name: 'test', pathPrefix });
}

describe('the path that apps see', () => {
  test.each([
    ['/skiers/1', '', '/skiers/1'],
    ['//skiers/1', '', '/skiers/1'],
    ['///skiers/1?resort=1', '', '/skiers/1?resort=1'],
    ['/a//b', '', '/a//b'],
    ['/', '', '/'],
    ['/Server_war/skiers/1', '/Server_war', '/skiers/1'],
    ['//Server_war//skiers/1', '/Server_war', '/skiers/1'],
    ['/Server_war', '/Server_war', '/'],
    ['/Server_war?a=1', '/Server_war', '/?a=1'],
    ['/Server_warm/skiers', '/Server_war', '/Server_warm/skiers'],
    ['/healthz', '/Server_war', '/healthz'],
  ])('%s with the prefix %j is %s', (url, prefix, seen) => {
    expect(normalizePath(url, prefix)).toBe(seen);
  });
});

describe('the HTTP server', () => {
  test('serves with and without the prefix, and with doubled slashes', async () => {
    const app = new Hono().get('/x', (c) => c.text(c.req.query('a') ?? ''));
    const { url } = await serve(app, '/Server_war');
    for (const path of ['/x?a=1', '/Server_war/x?a=1', '//x?a=1']) {
      expect(await (await fetch(url + path)).text()).toBe('1');
    }
  });

  test('says which port is taken', async () => {
    const { port } = await serve(new Hono());
    const again = listen(new Hono(), { host: '127.0.0.1', port, logger, lifecycle, name: 'test' });
    await expect(again).rejects.toThrow(ConfigError);
    await expect(checkPortIsFree('127.0.0.1', port)).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
    await expect(checkPortIsFree('127.0.0.1', 0)).resolves.toBeUndefined();
  });

  test('finishes running requests, closes their connections, and takes no new ones when it stops', async () => {
    let answer: (() => void) | undefined;
    const app = new Hono().get('/slow', async (c) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return c.text('done');
    });
    const { url, port } = await serve(app);
    const agent = new Agent({ keepAlive: true });
    const running = once(request(`${url}/slow`, { agent }).end(), 'response');
    await until('the request runs', () => answer !== undefined);
    const stopped = lifecycle.stop(10_000);
    const refused = connect(port, '127.0.0.1');
    await expect(once(refused, 'connect')).rejects.toThrow('ECONNREFUSED');
    answer?.();
    const [response] = (await running) as [import('node:http').IncomingMessage];
    expect(response.headers.connection).toBe('close');
    response.resume();
    await stopped;
    agent.destroy();
  });

  test('does not wait for connections that are idle', async () => {
    const { url } = await serve(new Hono().get('/', (c) => c.text('ok')));
    const agent = new Agent({ keepAlive: true });
    const [response] = (await once(request(url, { agent }).end(), 'response')) as [import('node:http').IncomingMessage];
    response.resume();
    await once(response, 'end');
    await expect(lifecycle.stop(1_000)).resolves.toBeUndefined();
    agent.destroy();
  });

  test('leaves a response alone that its handler writes by itself, and ends it when it stops', async () => {
    const open: ServerResponse[] = [];
    const app = new Hono<HttpEnv>();
    app.use(async (c, next) => {
      await next();
      c.header('x-added', 'on the way'); // a response that is marked loses its mark by this
    });
    app.get('/stream', (c) => {
      const outgoing = c.env.outgoing as ServerResponse;
      outgoing.writeHead(200, { 'content-type': 'text/plain' });
      outgoing.write('first,');
      open.push(outgoing);
      return c.body(null);
    });
    const endStreams = () => open.forEach((outgoing) => outgoing.end('last'));
    const server = { host: '127.0.0.1', port: 0, logger, lifecycle, name: 'test', endStreams };
    const { url } = await listen(replaceableApp(app), server);
    const response = await fetch(`${url}/stream`);
    const text = response.text();
    open[0]?.write('second,');
    await lifecycle.stop(10_000);
    expect(await text).toBe('first,second,last');
  });

  test('answers what is not HTTP with a problem', async () => {
    const { port } = await serve(new Hono());
    const socket = connect(port, '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain('HTTP/1.1 400');
    expect(JSON.parse(text.split('\r\n\r\n')[1] as string)).toMatchObject({ code: 'malformed', status: 400 });
  });
});
