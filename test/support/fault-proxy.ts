import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';

/** A TCP proxy on loopback that a test breaks at will, between a client and a server that stay as they are. */
export interface FaultProxy {
  /** the server's URL, by way of the proxy */
  url: string;
  /** connections that were made so far */
  connections(): number;
  /** refuses new connections and resets those that are open */
  close(): Promise<void>;
  /** takes connections and bytes, and passes nothing on: what a cable that was cut looks like */
  goSilent(): void;
  /** listens again on the same port, and passes everything on, but for connections that swallowed bytes */
  open(): Promise<void>;
}

/** @param target URL of the server behind, with a port */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let silent = false;
  let accepted = 0;
  const connect = (client: Socket) => {
    accepted += 1;
    const upstream = new Socket();
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
    let swallowed = false;
    const passTo = (other: Socket) => (bytes: Buffer) => {
      swallowed ||= silent;
      if (!swallowed) other.write(bytes);
    };
    client.on('data', passTo(upstream));
    upstream.on('data', passTo(client));
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
      silent = true;
    },
    async open() {
      silent = false;
      if (!server) await listen(ownPort);
    },
  };
}
