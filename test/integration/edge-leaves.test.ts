import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../src/platform/http-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';

const logger = createLogger({ level: 'silent', process: 'test' });
const lifecycle = new Lifecycle({ logger });
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
afterEach(async () => {
  await lifecycle.stop(10_000);
  agent.destroy();
});

async function ask(url: string): Promise<string | undefined> {
  const [response] = (await once(request(url, { agent }).end(), 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.headers.connection;
}

test('a server that leaves answers all the same, ends each connection with its answer, and then is gone', async () => {
  const app = new Hono().get('/', (c) => c.text('ok'));
  const { url, port } = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    logger,
    lifecycle,
    name: 'test',
    leaveMs: 3_000,
  });
  expect(await ask(url)).toBe('keep-alive');
  const stopped = lifecycle.stop(10_000);
  expect(await ask(url)).toBe('close'); // on the connection that it had
  expect(await ask(url)).toBe('close'); // and on a new one
  await stopped;
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
});
