import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asOfFrame, byeFrame, HEARTBEAT, helloFrame, resetFrame, rideFrame } from '../../src/rides/live/frames.ts';
import { Listener } from '../../src/rides/live/listener.ts';
import { Listeners } from '../../src/rides/live/listeners.ts';
import type { RideJson } from '../../src/rides/shapes.ts';
import { until } from '../support/until.ts';

const START = { shard: 0, nodeId: 1, epoch: 1, since: { xmin: 1, xmax: 1, xip: [] }, asOf: null };
const CHUNK = 'x'.repeat(60_000);

describe('a listener', () => {
  const server = createServer();
  let client: Socket;
  let response: ServerResponse;
  let listener: Listener;
  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => {}); // it is cut off
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
    listener = new Listener(response, { skierId: 1, ...START });
  });
  afterEach(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  test('that does not read is cut off, and takes little memory until then', async () => {
    client.pause();
    let written = 0;
    await until('it is cut off', async () => {
      const isThere = listener.write(CHUNK);
      if (isThere) written += CHUNK.length;
      expect(response.writableLength).toBeLessThan(64 * 1_024 + 2 * CHUNK.length);
      await new Promise((resolve) => setImmediate(resolve));
      return !isThere;
    });
    expect(written).toBeGreaterThan(0);
    expect(response.destroyed).toBe(true);
  });

  test('that reads gets everything', async () => {
    let received = 0;
    client.on('data', (chunk) => (received += chunk.length));
    for (let sent = 0; sent < 200; sent += 1) {
      expect(listener.write(CHUNK)).toBe(true);
      await until('it is read', () => response.writableLength === 0);
    }
    await until('it has come', () => received >= 200 * CHUNK.length);
  });

  test('is told of an orderly end', async () => {
    let received = '';
    client.setEncoding('utf8');
    client.on('data', (chunk: string) => (received += chunk));
    listener.write(HEARTBEAT);
    listener.end();
    await until('it is told', () => received.includes('event: bye'));
    expect(response.writableEnded).toBe(true);
  });
});

describe('places for listeners', () => {
  test('are given back once, however often that is said', () => {
    const listeners = new Listeners(2);
    const [first, second] = [listeners.take(1), listeners.take(2)];
    expect(() => listeners.take(3)).toThrow('too many listen here');
    first();
    first();
    expect(listeners.count).toBe(1);
    listeners.take(3);
    expect(() => listeners.take(4)).toThrow('too many listen here');
    second();
  });

  test('are few for one skier', () => {
    const listeners = new Listeners(100);
    const taken = Array.from({ length: 20 }, () => listeners.take(1));
    expect(() => listeners.take(1)).toThrow('listen to this skier');
    listeners.take(2);
    taken[0]?.();
    expect(() => listeners.take(1)).not.toThrow();
  });
});

describe('the events of a stream', () => {
  const asOf = Date.UTC(2026, 0, 1);

  test('are text as the standard has it', () => {
    expect(helloFrame({ asOf })).toBe('retry: 2000\nevent: hello\ndata: {"asOf":"2026-01-01T00:00:00.000Z"}\n\n');
    expect(asOfFrame({ asOf: null, token: 't' })).toBe('event: asOf\nid: t\ndata: {"asOf":null}\n\n');
    expect(resetFrame({ asOf: null, token: 't' })).toBe('event: reset\nid: t\ndata: {"asOf":null}\n\n');
    const ride = { liftName: 'a\nb' } as RideJson;
    expect(rideFrame(ride, undefined)).toBe('event: ride\ndata: {"liftName":"a\\nb"}\n\n');
    expect(rideFrame(ride, 't')).toBe('event: ride\nid: t\ndata: {"liftName":"a\\nb"}\n\n');
  });

  test('those who are sent away together do not come back together', () => {
    const waits = Array.from({ length: 50 }, () => Number(/retry: (\d+)/.exec(byeFrame())?.[1]));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeLessThan(4_000);
    expect(new Set(waits).size).toBeGreaterThan(25);
  });
});
