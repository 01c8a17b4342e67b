import { z } from 'zod';
import { seededRandom } from '../../src/simulator/random.ts';
import { type BenchScan, benchScans } from '../bench/scans.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
import type { Acks } from './acks.ts';
import { subjectsOf } from './subjects.ts';

export interface WritesOptions {
  urls: readonly string[];
  deviceKey: string;
  skiers: number;
  scansPerS: number;
  seed: string;
  acks: Acks;
  signal: AbortSignal;
}

interface WriteRequest extends LoadRequest {
  scans: BenchScan[];
}

const CONNECTIONS = 16;
const TIMEOUT_MS = 5_000;
const BATCH_SHARE = 0.2;
const BATCH = { least: 2, most: 20 };
const MEAN_SCANS = 1 - BATCH_SHARE + (BATCH_SHARE * (BATCH.least + BATCH.most)) / 2;
/** Sent a second time, as a gate does that missed the reply. */
const AGAIN_SHARE = 0.05;

const ack = z.object({ eventId: z.string(), acceptedAt: z.iso.datetime() });
const batchReply = z.object({ results: z.array(z.union([ack, z.object({ status: z.enum(['retry', 'rejected']) })])) });

/** Posts scans of few skiers, singles and batches, some of them twice, until the signal. What was refused is not sent again. */
export async function write(o: WritesOptions): Promise<void> {
  await closedLoop<WriteRequest>({
    urls: o.urls,
    connections: CONNECTIONS,
    requests: requests(o),
    onReply: ({ scans }, { status, body }) => {
      if (status === 202) note(o.acks, scans, JSON.parse(body));
    },
    onFailure: () => {}, // an edge that is busy with a queue that is away; nothing is claimed of such a scan
    ratePerS: o.scansPerS / MEAN_SCANS,
    timeoutMs: TIMEOUT_MS,
    signal: o.signal,
  });
}

function* requests(o: WritesOptions): Generator<WriteRequest> {
  const random = seededRandom(o.seed);
  const source = benchScans(o.skiers);
  const headers = { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' };
  let last: WriteRequest | undefined;
  for (;;) {
    if (last && random.next() < AGAIN_SHARE) {
      yield last;
      continue;
    }
    const size = random.next() < BATCH_SHARE ? random.between(BATCH.least, BATCH.most) : 1;
    const scans = Array.from({ length: size }, () => source.next().value);
    for (const scan of scans) o.acks.sent(scan.eventId, subjectsOf(scan));
    const [path, body] = size === 1 ? ['/v1/scans', scans[0]] : ['/v1/scans/batch', { scans }];
    last = { method: 'POST', path, headers, body: JSON.stringify(body), scans };
    yield last;
  }
}

function note(acks: Acks, scans: readonly BenchScan[], reply: unknown): void {
  const results = scans.length === 1 ? [ack.parse(reply)] : batchReply.parse(reply).results;
  for (const result of results) {
    if ('acceptedAt' in result) acks.confirmed(result.eventId, Date.parse(result.acceptedAt));
  }
}
