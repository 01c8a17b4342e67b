import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { closedLoop, type LoadRequest } from '../../loadtest/client/closed-loop.ts';
import { HttpConnection } from '../../loadtest/client/http-connection.ts';
import { latencies, median } from '../../loadtest/client/latencies.ts';
import { until } from '../../loadtest/client/until.ts';

/** A server that answers each request head with the next of these texts, in the pieces given; undefined hangs up. */
let server: Server | undefined;
let connections = 0;

async function serve(answers: (string[] | undefined)[]): Promise<string> {
  let next = 0;
  connections = 0;
  server = createServer((socket) => {
    connections += 1;
    socket.on('data', (data) => {
      if (!data.includes('\r\n\r\n')) return;
      const pieces = answers[next++ % answers.length];
      if (!pieces) {
        socket.destroy();
        return;
      }
      const write = (at: number): void => {
        const piece = pieces[at];
        if (piece !== undefined) socket.write(piece, () => setImmediate(() => write(at + 1)));
      };
      write(0);
    });
    socket.on('error', () => {}); // the client may have gone
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  const closing = server;
  server = undefined;
  if (closing) await new Promise((resolve) => closing.close(resolve));
});

function gets(count: number): Iterator<LoadRequest> {
  return Array.from({ length: count }, (): LoadRequest => ({ method: 'GET', path: '/' })).values();
}
const ignore = () => {};
const never = () => Promise.reject(new Error('away'));
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('the connection', () => {
  it('reads replies however they are cut, and stays open between them', async () => {
    const url = await serve([[OK], ['HTTP/1.1 404 Not', ' Found\r\nContent-Length: 5\r', '\n\r\nn', 'öp', 'e'], [OK]]);
    const connection = new HttpConnection(url);
    expect(await connection.request('GET', '/')).toMatchObject({ status: 200, body: 'ok' });
    expect(await connection.request('GET', '/')).toMatchObject({ status: 404, body: 'nöpe' });
    expect(await connection.request('POST', '/', { body: 'ü' })).toMatchObject({ status: 200 });
    expect(connections).toBe(1);
    connection.close();
  });

  it('reads chunks', async () => {
    const url = await serve([
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'a\r\n01234', '56789\r\n0\r\n\r\n'],
    ]);
    const connection = new HttpConnection(url);
    expect(await connection.request('GET', '/')).toMatchObject({ body: 'abc0123456789' });
    connection.close();
  });

  it('opens another one after the server has closed it, with or without a word', async () => {
    const closing = 'HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 0\r\n\r\n';
    const url = await serve([[closing], undefined, [OK]]);
    const connection = new HttpConnection(url);
    expect(await connection.request('GET', '/')).toMatchObject({ status: 200 });
    await expect(connection.request('GET', '/')).rejects.toThrow(/closed the connection/);
    expect(await connection.request('GET', '/')).toMatchObject({ body: 'ok' });
    expect(connections).toBe(3);
    connection.close();
  });

  it('gives up on a silent server', async () => {
    const url = await serve([[]]);
    const connection = new HttpConnection(url, { timeoutMs: 30 });
    await expect(connection.request('GET', '/')).rejects.toThrow(/no reply within 30 ms/);
  });

  it('does one request at a time, and says when nobody listens', async () => {
    const url = await serve([[OK]]);
    const connection = new HttpConnection(url);
    const first = connection.request('GET', '/');
    await expect(connection.request('GET', '/')).rejects.toThrow(/one request/);
    await first;
    connection.close();
    await expect(new HttpConnection('http://127.0.0.1:1').request('GET', '/')).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('the closed loop', () => {
  it('sends every request once and counts replies and failures apart', async () => {
    const url = await serve([[OK], undefined]);
    let [replies, failures] = [0, 0];
    const result = await closedLoop({
      urls: [url],
      connections: 2,
      requests: gets(10),
      onReply: () => void (replies += 1),
      onFailure: () => void (failures += 1),
    });
    expect(replies + failures).toBe(10);
    expect(result).toMatchObject({ requests: replies, failures });
    expect(failures).toBe(5);
  });

  it('keeps to a rate', async () => {
    const url = await serve([[OK]]);
    const result = await closedLoop({
      urls: [url],
      connections: 4,
      requests: gets(50),
      ratePerS: 200,
      onReply: ignore,
      onFailure: ignore,
    });
    expect(result.seconds).toBeGreaterThan(0.2);
    expect(result.perSecond).toBeLessThan(250);
  });

  it('ends when it is told to', async () => {
    const url = await serve([[OK]]);
    const early = new AbortController();
    const onReply = () => early.abort();
    const result = await closedLoop({
      urls: [url],
      connections: 1,
      requests: gets(50),
      signal: early.signal,
      onReply,
      onFailure: onReply,
    });
    expect(result.requests).toBe(1);
  });
});

describe('figures', () => {
  it('are nearest ranks, and nothing of nothing', () => {
    const samples = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(latencies(samples)).toEqual({ p50Ms: 51, p95Ms: 96, p99Ms: 100, maxMs: 100 });
    expect(latencies([]).p99Ms).toBeNaN();
    expect(median([3, 1, 2])).toBe(2);
  });
});

describe('until', () => {
  it('names what did not happen, and the last error', async () => {
    let asked = 0;
    expect(await until('third time', () => (++asked === 3 ? 'yes' : undefined), { timeoutMs: 1_000, everyMs: 1 })).toBe(
      'yes',
    );
    await expect(until('it comes', never, { timeoutMs: 5, everyMs: 1 })).rejects.toMatchObject({
      message: expect.stringContaining('it comes'),
      cause: expect.objectContaining({ message: 'away' }),
    });
  });
});
