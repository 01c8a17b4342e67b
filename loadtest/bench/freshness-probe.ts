import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { HttpConnection } from '../client/http-connection.ts';
import { latencies } from '../client/latencies.ts';
import { runChild } from './child.ts';
import { benchScans } from './scans.ts';

const optionsSchema = z.object({
  edgeUrl: z.string(),
  ridesUrl: z.string(),
  deviceKey: z.string(),
  adminKey: z.string(),
  seconds: z.number(),
  /** rides watched at the same time */
  watchers: z.number(),
});
const resultSchema = z.object({
  samples: z.number(),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
});
export type Freshness = z.infer<typeof resultSchema>;

const POLL_MS = 2;
const GIVE_UP_MS = 30_000;
/** Skiers of the probe's own, so that the newest ride is the one that was posted. */
const FIRST_SKIER = 1_000_000_000;

/** Freshness as a skier would see it: posts one ride after the other and reads until it is there. */
export async function freshnessProbe(o: z.infer<typeof optionsSchema>): Promise<Freshness> {
  return resultSchema.parse(await runChild(fileURLToPath(import.meta.url), o));
}

async function probe(o: z.infer<typeof optionsSchema>): Promise<Freshness> {
  const samples: number[] = [];
  const endsAt = performance.now() + o.seconds * 1_000;
  const source = benchScans();
  let skierId = FIRST_SKIER;
  const watcher = async (): Promise<void> => {
    const edge = new HttpConnection(o.edgeUrl);
    const rides = new HttpConnection(o.ridesUrl);
    while (performance.now() < endsAt) {
      skierId += 1;
      samples.push(await watchOne(edge, rides, { ...source.next().value, skierId }, o));
    }
    edge.close();
    rides.close();
  };
  await Promise.all(Array.from({ length: o.watchers }, watcher));
  return { samples: samples.length, ...latencies(samples) };
}

/** @returns milliseconds from the ack to the first reply that shows the ride */
async function watchOne(
  edge: HttpConnection,
  rides: HttpConnection,
  scan: { skierId: number; eventId: string },
  o: { deviceKey: string; adminKey: string },
): Promise<number> {
  const headers = { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' };
  const { status } = await edge.request('POST', '/v1/scans', { headers, body: JSON.stringify(scan) });
  const ackedAt = performance.now();
  if (status !== 202) throw new Error(`a scan was answered ${status}`);
  const asOperator = { headers: { authorization: `Bearer ${o.adminKey}` } };
  for (;;) {
    const { body } = await rides.request('GET', `/v1/skiers/${scan.skierId}/rides?limit=1`, asOperator);
    const ageMs = performance.now() - ackedAt;
    if (body.includes(scan.eventId)) return ageMs;
    if (ageMs > GIVE_UP_MS) throw new Error(`ride ${scan.eventId} was not readable after ${GIVE_UP_MS} ms`);
    await delay(POLL_MS);
  }
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await probe(optionsSchema.parse(JSON.parse(process.argv[2] ?? '')))));
}
