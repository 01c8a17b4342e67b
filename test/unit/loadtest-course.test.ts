import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSums } from '../../loadtest/course/check-sums.ts';
import { bookProblems, type Books } from '../../loadtest/course/conservation.ts';
import { corrupt } from '../../loadtest/course/corrupt.ts';
import { courseLoad } from '../../loadtest/course/load.ts';
import { courseRequests, Expectation } from '../../loadtest/course/rides.ts';
import type { System } from '../../loadtest/course/system.ts';
import { markdownTable } from '../../loadtest/results.ts';

/** SkiDataAPI's operations 1, 2, 3 and 5 in memory; `bend` may spoil a ride before it is stored. */
class LittleSkiData {
  readonly rides = new Map<string, { resort: string; skier: string; metres: number }>();
  bend: (n: number) => 'store' | 'lose' | 'refuse' = () => 'store';
  #posts = 0;
  readonly #server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    const reply = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    const [, , resort = '', , , , day = '', , skier = ''] = pathname.split('/');
    if (request.method === 'POST') {
      this.#posts += 1;
      const verdict = this.bend(this.#posts);
      void json(request).then((body) => {
        const { time, liftID } = body as { time: number; liftID: number };
        if (verdict === 'store')
          this.rides.set(`${pathname}/${time}/${liftID}`, { resort, skier, metres: liftID * 10 });
        return verdict === 'refuse' ? reply(503, { message: 'busy' }) : reply(201, {});
      });
      return;
    }
    const of = (match: (ride: { resort: string; skier: string }) => boolean) => [...this.rides.values()].filter(match);
    if (pathname.endsWith('/vertical')) {
      const wanted = searchParams.getAll('resort');
      const found = of((ride) => ride.skier === resort && wanted.includes(ride.resort)); // the id stands where a resort's does
      const totalVert = found.reduce((sum, { metres }) => sum + metres, 0);
      reply(
        found.length ? 200 : 404,
        found.length ? { resorts: [{ seasonID: '2022', totalVert }] } : { message: 'none' },
      );
    } else if (pathname.includes('/day/')) {
      reply(200, {
        time: 'Resort',
        numSkiers: new Set(of((ride) => ride.resort === resort).map((ride) => ride.skier)).size,
      });
    } else {
      const found = of((ride) => ride.resort === resort && ride.skier === skier && day === '1');
      const metres = found.reduce((sum, ride) => sum + ride.metres, 0);
      reply(found.length ? 200 : 404, found.length ? metres : { message: 'none' });
    }
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let server: LittleSkiData;
let url: string;
beforeEach(async () => {
  server = new LittleSkiData();
  url = await server.start();
});
afterEach(() => server.stop());

function firstRequests(count: number) {
  const source = courseRequests('a');
  return Array.from({ length: count }, () => source.next().value);
}

const load = (faults: Parameters<typeof courseLoad>[0]['faults'] = []) =>
  courseLoad({ urls: [url], requests: 600, seed: 'test', faults, onProgress: () => {} });

describe("the course's load", () => {
  it('is the same for the same seed, and repeats some rides', () => {
    const first = firstRequests(3_000);
    expect(firstRequests(3_000)).toEqual(first);
    const expectation = new Expectation();
    for (const { ride } of first) expectation.noteAck(ride);
    expect(expectation.acks).toBe(3_000);
    expect(expectation.rides).toBeLessThan(2_990);
    expect(expectation.rides).toBeGreaterThan(2_900);
  });

  it('finds every sum exact on a server that keeps everything once', async () => {
    const { expectation, refusals } = await load();
    expect(refusals).toEqual([]);
    expect(expectation.rides).toBe(server.rides.size);
    const { differences, reads } = await checkSums([url], expectation);
    expect(differences).toEqual([]);
    expect(reads.requests).toBeGreaterThan(1_800);
  });

  it('finds a ride that was acked and lost, in every sum that it belongs to', async () => {
    server.bend = (n) => (n === 100 ? 'lose' : 'store');
    const { expectation } = await load();
    const { differences } = await checkSums([url], expectation);
    expect(differences).toHaveLength(3);
  });

  it('counts whatever is not 201, and does not expect it to be there', async () => {
    server.bend = (n) => (n % 100 === 0 ? 'refuse' : 'store');
    const { expectation, refusals } = await load();
    expect(refusals).toEqual([{ reason: '503 {"message":"busy"}', count: 6 }]);
    expect((await checkSums([url], expectation)).differences).toEqual([]);
  });

  it('notices both kinds of corruption', async () => {
    const { expectation } = await load();
    const system = { writeUrls: [url] } as System;
    await corrupt('lost', system, expectation);
    expect((await checkSums([url], expectation)).differences.length).toBeGreaterThan(0);
    const again = await load();
    await corrupt('phantom', system, again.expectation);
    expect((await checkSums([url], again.expectation)).differences.length).toBeGreaterThan(0);
  });

  it('runs each fault when its share is reached, and waits for its end', async () => {
    const seen: string[] = [];
    const fault = (atShare: number, name: string) => ({ atShare, name, run: async () => void seen.push(name) });
    await load([fault(0.6, 'late'), fault(0.3, 'early')]);
    expect(seen).toEqual(['early', 'late']);
  });
});

describe('the books', () => {
  const good: Books = {
    enqueued: 102,
    persisted: 100,
    duplicate: 2,
    dead: 0,
    inFlight: 0,
    jobsUnfinished: 0,
    jobsUnaccounted: 0,
  };
  const seen = { acks: 102, rides: 100 };

  it('balance', () => {
    expect(bookProblems(good, seen)).toEqual([]);
  });

  it.each<[string, Partial<Books>]>([
    ['a scan that is nowhere', { persisted: 99 }],
    ['a dead letter', { persisted: 99, dead: 1 }],
    ['a ride counted twice', { persisted: 101, duplicate: 1 }],
    ['a job that no ledger knows', { jobsUnaccounted: 1 }],
    ['lanes too deep to be counted', { jobsUnaccounted: null }],
    ['more enqueued than acked', { enqueued: 103, duplicate: 3 }],
  ])('do not, with %s', (_what, change) => {
    expect(bookProblems({ ...good, ...change }, seen).length).toBeGreaterThan(0);
  });
});

describe('the table', () => {
  it('is Markdown that reads well as it is', () => {
    expect(
      markdownTable([
        ['a', 'long head'],
        ['value', 'b'],
      ]),
    ).toBe('| a     | long head |\n| ----- | --------- |\n| value | b         |\n');
  });
});
