import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Random, seededRandom } from '../../src/simulator/random.ts';
import { type BenchScan, benchScans } from '../bench/scans.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
import type { Reply } from '../client/http-connection.ts';
import type { Notes } from './checker-notes.ts';

export interface DeviceLoadOptions {
  /** the connections are spread over them */
  urls: readonly string[];
  deviceKey: string;
  /** scans a second, about, to begin with */
  scansPerS: number;
  seed: string;
  notes: Notes;
}

interface DeviceRequest extends LoadRequest {
  scans: BenchScan[];
  /** how often it was sent before */
  tries: number;
  /** milliseconds by performance.now() */
  notBefore: number;
}

const CONNECTIONS = 32;
const TIMEOUT_MS = 5_000;
/** Few enough that many a day of a skier gets more than one ride, so that totals are changed and not only made. */
const SKIERS = 5_000;
/** Most posts are a gate that is online; one in ten is a gate that catches up. */
const BATCH_SHARE = 0.1;
const BATCH = { least: 50, most: 150 };
const MEAN_SCANS = 1 - BATCH_SHARE + BATCH_SHARE * ((BATCH.least + BATCH.most) / 2);
/** Of the requests that were confirmed: the device missed the reply, and sends again. */
const AGAIN_SHARE = 0.01;
const RETRY_MS = { first: 300, most: 5_000 };
/** A device keeps so many scans before it sends the oldest again instead of a new one. */
const MAX_WAITING = 20_000;
const LAST_RETRIES_MS = 60_000;

const batchReply = z.object({
  results: z.array(z.object({ status: z.string(), error: z.object({ code: z.string() }).optional() })),
});
const problemReply = z.object({ code: z.string() });

/**
 * Posts scans as gates do, singles and batches, and sends again what was not confirmed, with a growing pause, until it is.
 * Each attempt and each ack is noted.
 */
export class DeviceLoad {
  readonly #o: DeviceLoadOptions;
  readonly #random: Random;
  readonly #source = benchScans(SKIERS);
  readonly #headers: Record<string, string>;
  readonly #stopping = new AbortController();
  #scansPerS: number;
  #waiting: DeviceRequest[] = [];
  #waitingScans = 0;

  constructor(o: DeviceLoadOptions) {
    this.#o = o;
    this.#scansPerS = o.scansPerS;
    this.#random = seededRandom(o.seed);
    this.#headers = { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' };
  }

  /** Runs until {@link stop}, and until what was not confirmed then is, or a minute has passed. */
  async run(): Promise<void> {
    await this.#loop(this.#freshAndDue(), this.#stopping.signal);
    const deadline = performance.now() + LAST_RETRIES_MS;
    while (this.#waiting.length > 0 && performance.now() < deadline) {
      await this.#loop(this.#due());
      await delay(100);
    }
  }

  setRate(scansPerS: number): void {
    this.#scansPerS = scansPerS;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #loop(requests: Iterator<DeviceRequest>, signal?: AbortSignal): Promise<void> {
    await closedLoop<DeviceRequest>({
      urls: this.#o.urls,
      connections: CONNECTIONS,
      requests,
      onReply: (request, reply) => this.#answered(request, reply),
      onFailure: (request, error) => this.#unconfirmed(request, request.scans, reasonOf(error)),
      ratePerS: () => this.#scansPerS / MEAN_SCANS,
      timeoutMs: TIMEOUT_MS,
      ...(signal && { signal }),
    });
  }

  *#freshAndDue(): Generator<DeviceRequest> {
    for (;;) yield this.#takeDue(this.#waitingScans > MAX_WAITING) ?? this.#fresh();
  }

  *#due(): Generator<DeviceRequest> {
    for (let request = this.#takeDue(false); request; request = this.#takeDue(false)) yield request;
  }

  #takeDue(isForced: boolean): DeviceRequest | undefined {
    const now = performance.now();
    const at = isForced ? 0 : this.#waiting.findIndex(({ notBefore }) => notBefore <= now);
    const [request] = at < 0 ? [] : this.#waiting.splice(at, 1);
    this.#waitingScans -= request?.scans.length ?? 0;
    return request;
  }

  #fresh(): DeviceRequest {
    const isBatch = this.#random.next() < BATCH_SHARE;
    const size = isBatch ? this.#random.between(BATCH.least, BATCH.most) : 1;
    const scans = Array.from({ length: size }, () => this.#source.next().value);
    this.#o.notes.attempted(scans);
    return this.#request(scans, 0, 0);
  }

  #request(scans: BenchScan[], tries: number, notBefore: number): DeviceRequest {
    const isSingle = scans.length === 1;
    const path = isSingle ? '/v1/scans' : '/v1/scans/batch';
    const body = JSON.stringify(isSingle ? scans[0] : { scans });
    return { method: 'POST', path, headers: this.#headers, body, scans, tries, notBefore };
  }

  #answered(request: DeviceRequest, { status, body }: Reply): void {
    if (status !== 202) {
      const reason = `${status} ${problemReply.safeParse(tryJson(body)).data?.code ?? ''}`.trim();
      const isFinal = status < 500 && status !== 429 && status !== 408;
      if (isFinal) for (const _ of request.scans) this.#o.notes.rejected(reason);
      else this.#unconfirmed(request, request.scans, reason);
      return;
    }
    const [only] = request.scans;
    if (request.scans.length === 1 && only) this.#o.notes.acked(only);
    else this.#batchAnswered(request, body);
    if (this.#random.next() < AGAIN_SHARE) this.#sendAgain(request.scans, 0);
  }

  #batchAnswered(request: DeviceRequest, body: string): void {
    const { results } = batchReply.parse(tryJson(body));
    const unconfirmed = new Map<string, BenchScan[]>();
    for (const [at, scan] of request.scans.entries()) {
      const { status, error } = results[at] ?? { status: 'missing' };
      const reason = error?.code ?? status;
      if (status === 'accepted') this.#o.notes.acked(scan);
      else if (status === 'rejected') this.#o.notes.rejected(reason);
      else unconfirmed.set(reason, [...(unconfirmed.get(reason) ?? []), scan]);
    }
    for (const [reason, scans] of unconfirmed) this.#unconfirmed(request, scans, reason);
  }

  #unconfirmed(request: DeviceRequest, scans: BenchScan[], reason: string): void {
    this.#o.notes.unconfirmed(reason, scans.length);
    this.#sendAgain(scans, request.tries + 1);
  }

  #sendAgain(scans: BenchScan[], tries: number): void {
    const pauseMs = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** tries) * (0.5 + this.#random.next());
    this.#waiting.push(this.#request(scans, tries, performance.now() + pauseMs));
    this.#waitingScans += scans.length;
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}
