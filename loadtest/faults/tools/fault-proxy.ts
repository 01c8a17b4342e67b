import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A TCP proxy on loopback that a test or a fault run breaks at will, between a client and a server that stay as they are. */
export interface FaultProxy {
  /** the server's URL, by way of the proxy */
  url: string;
  /** connections that were made so far */
  connections(): number;
  /** refuses new connections and resets those that are open */
  close(): Promise<void>;
  /** takes connections and bytes, and passes nothing on: what a cable that was cut looks like */
  goSilent(): void;
  /** from now on every byte is so many milliseconds late, in each direction; 0 ends it */
  slowDown(lateMs: number): void;
  /** listens again on the same port, and passes everything on, but for connections that swallowed bytes */
  open(): Promise<void>;
}

interface Line {
  isSilent: boolean;
  lateMs: number;
}

/** @param target URL of the server behind, with a port */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const line: Line = { isSilent: false, lateMs: 0 };
  let server: Server | undefined;
  let accepted = 0;
  const connect = (client: Socket) => {
    accepted += 1;
    const upstream = new Socket();
    join(client, upstream, line, sockets);
    upstream.connect(Number(port), hostname);
  };
  const listen = async (onPort: number) => {
    server = createServer(connect).listen(onPort, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ownPort = await listen(0);
  const url = new URL(target);
  url.host = `127.0.0.1:${ownPort}`;
  return {
    url: url.href,
    connections: () => accepted,
    async close() {
      const closing = server;
      server = undefined;
      if (!closing) return;
      closing.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await once(closing, 'close');
    },
    goSilent() {
      line.isSilent = true;
    },
    slowDown(lateMs) {
      line.lateMs = lateMs;
    },
    async open() {
      line.isSilent = false;
      if (!server) await listen(ownPort);
    },
  };
}

/** Passes the bytes of each to the other; both end together. */
function join(client: Socket, upstream: Socket, line: Line, sockets: Set<Socket>): void {
  for (const socket of [client, upstream]) {
    sockets.add(socket);
    socket.on('error', () => {}); // resets are what it is for
    socket.on('close', () => {
      sockets.delete(socket);
      client.destroy();
      upstream.destroy();
    });
  }
  // TCP loses no bytes out of the middle: a connection that swallowed some stays silent, also after `open`
  let hasSwallowed = false;
  const passTo = (other: Socket) => {
    const pass = inOrder((bytes) => {
      hasSwallowed ||= line.isSilent;
      if (!hasSwallowed) other.write(bytes);
    });
    return (bytes: Buffer) => pass(bytes, line.lateMs);
  };
  client.on('data', passTo(upstream));
  upstream.on('data', passTo(client));
}

/** Calls back at once or later, and never in another order than it was called. */
function inOrder(callBack: (bytes: Buffer) => void): (bytes: Buffer, lateMs: number) => void {
  let last: Promise<void> | undefined;
  const late = async (bytes: Buffer, lateMs: number, before: Promise<void> | undefined) => {
    await Promise.all([before, delay(lateMs)]);
    callBack(bytes);
  };
  return (bytes, lateMs) => {
    if (lateMs === 0 && !last) {
      callBack(bytes);
      return;
    }
    const mine = late(bytes, lateMs, last).finally(() => {
      if (last === mine) last = undefined;
    });
    last = mine;
  };
}
