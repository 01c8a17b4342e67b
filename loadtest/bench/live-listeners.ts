import { connect, type Socket } from 'node:net';

export interface ListenersOptions {
  url: string;
  /** listens to everyone */
  adminKey: string;
  /** 1 to `count`, one listener each */
  count: number;
  /** called for each ride that a listener was told */
  onRide: (skierId: number, eventId: string) => void;
}

/** Connections that are opened at once. */
const AT_ONCE = 100;
const EVENT_ID = /"eventId":"([0-9a-f-]{36})"/g;

/** Listeners on plain sockets: a client that costs little beside the process that it measures. */
export async function openListeners(o: ListenersOptions): Promise<{ isAllOpen(): boolean; close(): void }> {
  const sockets: Socket[] = [];
  for (let first = 1; first <= o.count; first += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, o.count - first + 1) }, (_, i) => openOne(o, first + i));
    sockets.push(...(await Promise.all(some)));
  }
  return {
    isAllOpen: () => sockets.every((socket) => socket.readyState === 'open'),
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
}

/** Resolves once the stream has said hello. */
function openOne({ url, adminKey, onRide }: ListenersOptions, skierId: number): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('latin1');
  socket.write(
    `GET /v1/skiers/${skierId}/live HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${adminKey}\r\n\r\n`,
  );
  let rest = '';
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the stream of skier ${skierId} ended: ${rest}`)));
    socket.on('data', (chunk: string) => {
      rest += chunk;
      if (rest.includes('event: hello')) resolve(socket);
      const end = rest.lastIndexOf('\n\n');
      if (end < 0) return;
      for (const [, eventId = ''] of rest.slice(0, end).matchAll(EVENT_ID)) onRide(skierId, eventId);
      rest = rest.slice(end);
    });
  });
}
