import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { until } from '../support/until.ts';

let edge: TestEdge;
const sockets: Socket[] = [];

beforeAll(async () => {
  edge = await startEdge();
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

afterAll(async () => {
  await edge.stop();
});

/** A client that says exactly what a test wants, when it wants. */
async function client(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  let received = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.on('error', () => {}); // a server that cuts off a bad client may reset it
  socket.on('close', () => {
    isClosed = true;
  });
  await once(socket, 'connect');
  return {
    send: (text: string) => new Promise<void>((resolve) => socket.write(text, () => resolve())),
    /** leaves without a word, as a device that lost its network */
    hangUp: () => void socket.resetAndDestroy(),
    received: () => received,
    status: () => until('an answer', () => /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]),
    closed: () => until('the connection is closed', () => isClosed),
  };
}

const head = (o: { path?: string; type?: string; extra?: string }) =>
  `POST ${o.path ?? '/v1/scans'} HTTP/1.1\r\nhost: edge\r\nauthorization: Bearer ${edge.device.key}\r\n` +
  `content-type: ${o.type ?? 'application/json'}\r\n${o.extra ?? ''}\r\n`;

const length = (bytes: number) => `content-length: ${bytes}\r\n`;
const CHUNKED = 'transfer-encoding: chunked\r\n';
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** @returns what is not as it should be: the edge takes a scan, holds only that one more, and logged no error */
async function harm(before: number): Promise<string[]> {
  const { status } = await edge.post('/v1/scans', goodScan());
  const more = (await edge.queued()).length - before;
  const pending = /liftline_edge_pending_scans (\d+)/.exec(await edge.metrics())?.[1];
  return [
    ...(status === 202 ? [] : [`a good scan is answered ${status}`]),
    ...(more === 1 ? [] : [`${more} scans more than before`]),
    ...(pending === '0' ? [] : [`${pending} scans pending`]),
    ...edge.messages().filter((message) => message === 'unexpected error'),
  ];
}

describe('a client that hangs up', () => {
  test.each(['/v1/scans', '/v1/scans/batch', '/skiers/1/seasons/2025/days/1/skiers/1'])(
    'in the middle of the body of %s: nothing is stored, no one notices',
    async (path) => {
      const before = (await edge.queued()).length;
      const refused = async () => /refused_total\{reason="malformed"\} (\d+)/.exec(await edge.metrics())?.[1] ?? '0';
      const refusedBefore = await refused();
      const body = JSON.stringify(goodScan());
      const { send, hangUp } = await client(edge.url);
      await send(head({ path, extra: length(body.length) }) + body.slice(0, 40));
      hangUp();
      await until('the edge has let go of it', async () => (await refused()) !== refusedBefore);
      expect(await harm(before)).toEqual([]);
    },
  );

  test('in the middle of a chunk', async () => {
    const before = (await edge.queued()).length;
    const { send, hangUp } = await client(edge.url);
    await send(`${head({ extra: CHUNKED })}ff\r\n{"eventId":`);
    hangUp();
    expect(await harm(before)).toEqual([]);
  });

  test('before the head is whole', async () => {
    const before = (await edge.queued()).length;
    const { send, hangUp } = await client(edge.url);
    await send('POST /v1/scans HTTP/1.1\r\nhost: ed');
    hangUp();
    expect(await harm(before)).toEqual([]);
  });

  test('after the body, before the answer: the scan is stored, as it was sent whole', async () => {
    const scan = goodScan();
    const body = JSON.stringify(scan);
    const { send, hangUp } = await client(edge.url);
    await send(head({ extra: length(body.length) }) + body);
    hangUp();
    const before = await until('the scan is in its lane', async () => {
      const queued = await edge.queued();
      return queued.some(({ eventId }) => eventId === scan.eventId) && queued.length;
    });
    expect(await harm(before)).toEqual([]);
  });
});

describe('a body', () => {
  test('in chunks is read whole', async () => {
    const body = JSON.stringify(goodScan());
    const { send, status } = await client(edge.url);
    await send(head({ extra: CHUNKED }) + chunk(body.slice(0, 30)));
    await send(`${chunk(body.slice(30))}0\r\n\r\n`);
    expect(await status()).toBe('202');
  });

  test.each([
    ['/v1/scans', 17],
    ['/v1/scans/batch', 1_030],
    ['/skiers/1/seasons/2025/days/1/skiers/1', 17],
  ])('in chunks that never says how large it gets: %s stops reading', async (path, kilobytes) => {
    const before = (await edge.queued()).length;
    const { send, status } = await client(edge.url);
    await send(head({ path, extra: CHUNKED }));
    for (let i = 0; i < kilobytes; i += 1) await send(chunk(' '.repeat(1_024)));
    expect(await status()).toBe('413');
    expect(await harm(before)).toEqual([]);
  });

  test('that says it is too large is refused before a byte of it comes', async () => {
    const { send, status, received } = await client(edge.url);
    await send(head({ extra: length(16 * 1024 + 1) }));
    expect(await status()).toBe('413');
    expect(received()).toContain('too_large');
  });

  test('in broken chunks', async () => {
    const before = (await edge.queued()).length;
    const { send, closed } = await client(edge.url);
    await send(`${head({ extra: CHUNKED })}zz\r\n{}\r\n`);
    await closed();
    expect(await harm(before)).toEqual([]);
  });
});

test('what is not HTTP', async () => {
  const before = (await edge.queued()).length;
  const { send, status } = await client(edge.url);
  await send('hello\r\n\r\n');
  expect(await status()).toBe('400');
  expect(await harm(before)).toEqual([]);
});

describe('a slow client', () => {
  let impatient: Server;
  let url: string;

  beforeAll(async () => {
    // the edge's own server has the same limits, of 10 and 30 seconds: too long for a test
    const limits = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 };
    const answer = getRequestListener(edge.app.fetch);
    impatient = createServer(limits, (incoming, outgoing) => void answer(incoming, outgoing));
    impatient.listen(0, '127.0.0.1');
    await once(impatient, 'listening');
    url = `http://127.0.0.1:${(impatient.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    impatient.closeAllConnections();
    impatient.close();
    await once(impatient, 'close');
  });

  test('that sends byte by byte, in time, is served', async () => {
    const body = JSON.stringify(goodScan());
    const { send, status } = await client(edge.url);
    for (const byte of head({ extra: length(body.length) }) + body) await send(byte);
    expect(await status()).toBe('202');
  });

  test('whose body takes for ever is cut off, and nothing is stored', async () => {
    const before = (await edge.queued()).length;
    const body = JSON.stringify(goodScan());
    const { send, status, closed } = await client(url);
    await send(head({ extra: length(body.length) }) + body.slice(0, -1));
    expect(await status()).toBe('408');
    await closed();
    expect(await harm(before)).toEqual([]);
  });

  test('whose head takes for ever is cut off', async () => {
    const before = (await edge.queued()).length;
    const { send, status, closed } = await client(url);
    await send('POST /v1/scans HTTP/1.1\r\nhost: edge\r\n');
    expect(await status()).toBe('408');
    await closed();
    expect(await harm(before)).toEqual([]);
  });

  test('does not hold up the others', async () => {
    const { send } = await client(edge.url);
    await send(head({ extra: length(100) }) + '{"eventId"');
    expect((await edge.post('/v1/scans', goodScan())).status).toBe(202);
  });
});
