import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface PostedScan {
  eventId: string;
  resortId: number;
  liftId: number;
  skierId: number;
  scannedAt: string;
}

/** Liftline's routes in memory, as far as the load scripts use them, with faults to choose. */
export interface SmallService {
  url: string;
  /** of single scans, acked or not */
  posts: number;
  scans: number;
  close(): Promise<void>;
}

export interface Faults {
  /** how often a scan is acked and forgotten, 0 to 1 */
  forget?: number;
  /** whether a scan that comes twice is kept twice */
  keepTwice?: boolean;
  /** milliseconds until an answer */
  slowMs?: number;
}

export async function startSmallService(faults: Faults = {}): Promise<SmallService> {
  const rides = new Map<number, PostedScan[]>();
  const server = createServer((incoming, response) => {
    void answer(incoming, rides, faults, service).then(
      (reply) => setTimeout(() => send(response, reply), faults.slowMs ?? 0),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const service: SmallService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts: 0,
    scans: 0,
    close: () => closeServer(server),
  };
  return service;
}

type Reply = [status: number, body: unknown];

function send(response: ServerResponse, [status, body]: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function answer(
  incoming: IncomingMessage,
  rides: Map<number, PostedScan[]>,
  faults: Faults,
  service: SmallService,
): Promise<Reply> {
  const body = await text(incoming);
  const path = (incoming.url ?? '').split('?')[0] ?? '';
  if (incoming.method === 'POST') {
    if (incoming.headers.authorization !== 'Bearer device') return [401, {}];
    const scans = readScans(path, body, incoming.headers['content-type'] === 'application/x-ndjson');
    service.posts += path === '/v1/scans' ? 1 : 0;
    service.scans += scans.length;
    for (const scan of scans) keep(scan, rides, faults);
    const results = scans.map(({ eventId }) => ({ eventId, status: 'accepted' }));
    return [202, path === '/v1/scans' ? results[0] : { results }];
  }
  return read(path, incoming.headers.authorization, rides);
}

function readScans(path: string, body: string, isNdjson: boolean): PostedScan[] {
  if (path === '/v1/scans') return [JSON.parse(body) as PostedScan];
  if (isNdjson) return body.split('\n').map((line) => JSON.parse(line) as PostedScan);
  return (JSON.parse(body) as { scans: PostedScan[] }).scans;
}

function keep(scan: PostedScan, rides: Map<number, PostedScan[]>, faults: Faults): void {
  if (Math.random() < (faults.forget ?? 0)) return;
  const own = rides.get(scan.skierId) ?? [];
  if (!own.some(({ eventId }) => eventId === scan.eventId) || faults.keepTwice) own.unshift(scan);
  rides.set(scan.skierId, own);
}

function read(path: string, authorization: string | undefined, rides: Map<number, PostedScan[]>): Reply {
  if (path === '/v1/resorts') return [200, { resorts: [{ resortId: 1 }, { resortId: 2 }] }];
  if (/^\/v1\/resorts\/\d+$/.test(path)) return [200, { lifts: [{ liftId: 3 }, { liftId: 4 }] }];
  if (path.startsWith('/v1/resorts/')) return [200, { rides: 1 }];
  if (authorization !== 'Bearer admin') return [401, {}];
  const own = rides.get(Number(path.split('/')[3])) ?? [];
  const json = own.map((ride) => ({ ...ride, date: ride.scannedAt.slice(0, 10) }));
  const sum = [{ rides: own.length }];
  return [200, path.includes('/days/') || path.endsWith('/rides') ? { rides: json } : { days: sum, seasons: sum }];
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
