import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulate, type SimulationObserver, type SimulationReport } from '../../src/simulator/simulation.ts';

interface Scan {
  eventId: string;
  resortId: number;
  liftId: number;
  skierId: number;
  scannedAt: string;
}

/** What a test may bend in the little server below; `undefined` leaves a request alone. */
interface Bend {
  post?: (scans: Scan[], attempt: number) => { status: number; body?: unknown } | undefined;
  store?: (scan: Scan) => Scan[];
}

/** Liftline's contract in memory: just enough of it to be played against. */
class LittleLiftline {
  bend: Bend = {};
  readonly #stored = new Map<string, Scan>();
  readonly #extra: Scan[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
  url = '';

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  keep(scan: Scan): void {
    this.#stored.set(scan.eventId, scan);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const reply = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'POST') {
      const body = JSON.parse(await text(request)) as Scan | { scans: Scan[] };
      const { status, body: answer } = this.#post('scans' in body ? body.scans : [body]);
      return reply(status, answer);
    }
    const skier = Number(/\/skiers\/(\d+)/.exec(pathname)?.[1]);
    const rides = [...this.#stored.values(), ...this.#extra]
      .filter(({ skierId }) => skierId === skier)
      .map((scan) => ({ ...scan, verticalM: scan.liftId * 10 }));
    if (pathname.endsWith('/rides')) {
      const from = Number(searchParams.get('cursor') ?? 0);
      const nextCursor = from + 5 < rides.length ? String(from + 5) : null; // small pages
      return reply(200, { rides: rides.slice(from, from + 5), nextCursor });
    }
    if (pathname.includes('/skiers/')) {
      const verticalM = rides.reduce((sum, ride) => sum + ride.verticalM, 0);
      return reply(200, { days: rides.length > 0 ? [{ resortId: 1, rides: rides.length, verticalM }] : [] });
    }
    const lifts = Array.from({ length: 8 }, (_, at) => ({ liftId: at + 1, name: `L${at}`, verticalM: (at + 1) * 10 }));
    return reply(200, { resortId: 1, name: 'Test', timeZone: 'UTC', opensAt: '08:00', closesAt: '16:00', lifts });
  }

  #post(scans: Scan[]): { status: number; body?: unknown } {
    const key = scans.map(({ eventId }) => eventId).join();
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    const bent = this.bend.post?.(scans, attempt);
    if (bent) return bent;
    for (const scan of scans) {
      const [first, ...more] = this.bend.store?.(scan) ?? [scan];
      if (first) this.keep(first);
      this.#extra.push(...more);
    }
    return { status: 202, body: { results: scans.map(({ eventId }) => ({ eventId, status: 'accepted' })) } };
  }
}

let server: LittleLiftline;
beforeEach(async () => {
  server = new LittleLiftline();
  await server.start();
});
afterEach(() => server.stop());

const silent: SimulationObserver = { onPlanned: () => {}, onProgress: () => {}, onReadBack: () => {} };

function run(
  o: { signal?: AbortSignal; seed?: string; skiers?: number; observer?: SimulationObserver } = {},
): Promise<SimulationReport> {
  const options = {
    baseUrl: server.url,
    deviceKey: 'll_dev_x',
    adminKey: 'admin',
    resortId: 1,
    seed: o.seed ?? 'test',
    firstSkierId: 1,
    skiers: o.skiers ?? 20,
    durationS: 0.5,
    offlineShare: 0.3,
    againShare: 0.1,
    settleMs: 300,
    signal: o.signal ?? new AbortController().signal,
  };
  return simulate(options, o.observer ?? silent);
}

const kinds = ({ differences }: SimulationReport) => [...new Set(differences.map(({ kind }) => kind))];

describe('a simulated day', () => {
  it('finds everything it was acked for, repeats folded', async () => {
    const report = await run();
    expect(report.differences).toEqual([]);
    expect(report.acked).toBe(report.planned);
    expect(report.sent).toBeGreaterThan(report.planned);
    expect(report.freshnessSamples).toBeGreaterThan(0);
  });

  it('sends again what was not confirmed, also twice in a row, and only that', async () => {
    server.bend.post = (scans, attempt) => {
      const [first, ...others] = scans;
      if (attempt < 3 && scans.length === 1 && first?.liftId === 1)
        return { status: 503, body: { code: 'overloaded' } };
      if (attempt > 1 || others.length === 0) return undefined;
      const results = scans.map(({ eventId }, at) => ({ eventId, status: at === 0 ? 'retry' : 'accepted' }));
      for (const scan of others) server.keep(scan);
      return { status: 202, body: { results } };
    };
    const report = await run();
    expect(report.differences).toEqual([]);
    expect(report.acked).toBe(report.planned);
    expect(report.refusals.map(({ reason }) => reason)).toContain('503 overloaded');
  });

  it('counts a refusal as final', async () => {
    server.bend.post = (scans) =>
      scans.length === 1 && scans[0]?.liftId === 2 ? { status: 422, body: { code: 'unknown_lift' } } : undefined;
    const report = await run();
    expect(report.refused).toBeGreaterThan(0);
    expect(report.refusals).toEqual([{ reason: '422 unknown_lift', count: expect.any(Number) }]);
    expect(report.differences).toEqual([]);
  });

  it('reports rides that were acked and dropped', async () => {
    server.bend.store = (scan) => (scan.skierId === 3 ? [] : [scan]);
    const report = await run();
    expect(kinds(report)).toEqual(['lost']);
    expect(report.differences.every(({ skierId }) => skierId === 3)).toBe(true);
  });

  it('reports rides that were stored twice', async () => {
    server.bend.store = (scan) => (scan.skierId === 3 ? [scan, scan] : [scan]);
    expect(kinds(await run())).toEqual(['twice']);
  });

  it('ends early and still compares', async () => {
    const early = new AbortController();
    let stored = 0;
    server.bend.store = (scan) => {
      stored += 1;
      if (stored === 5) early.abort();
      return [scan];
    };
    const report = await run({ signal: early.signal });
    expect(report.acked).toBeGreaterThan(0);
    expect(report.acked).toBeLessThan(report.planned);
    expect(report.differences).toEqual([]);
  });

  it('can be repeated: the same seed is the same rides', async () => {
    const first = await run({ seed: 'again' });
    const second = await run({ seed: 'again' });
    expect(second.planned).toBe(first.planned);
    expect(second.differences).toEqual([]);
  });

  it('says so when nobody answers', async () => {
    await server.stop();
    await expect(run()).rejects.toThrow(/no reply/);
  });
});
