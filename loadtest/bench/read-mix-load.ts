import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Random, seededRandom } from '../../src/simulator/random.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
import { type AckedRide, AgeWatch } from './age-watch.ts';
import { runChild } from './child.ts';
import { authorizations } from './known-skiers.ts';
import { powerLaw } from './power-law.ts';
import { benchScans } from './scans.ts';

const optionsSchema = z.object({
  edgeUrl: z.string(),
  ridesUrl: z.string(),
  deviceKey: z.string(),
  tokenSecret: z.string(),
  seed: z.string(),
  skiers: z.number(),
  seconds: z.number(),
  /** reads and writes together; as fast as they are answered unless given */
  ratePerS: z.number().optional(),
  /** one ride in so many is followed */
  followEvery: z.number(),
});
type Options = z.infer<typeof optionsSchema>;
const resultSchema = z.object({
  reads: z.object({
    perSecond: z.number(),
    p50Ms: z.number(),
    p95Ms: z.number(),
    p99Ms: z.number(),
    maxMs: z.number(),
  }),
  writesPerS: z.number(),
  /** reads that were not answered 200, writes that were not answered 202 */
  refused: z.number(),
  /** of the answers, those for which no node was asked */
  hitRatio: z.number(),
  age: z.object({ persisted: z.number(), checked: z.number(), tooOld: z.number(), markedStale: z.number() }),
});
export type ReadMix = z.infer<typeof resultSchema>;

const CONNECTIONS = 32;
const WRITERS = 8;
/** Until there is a rate of reads to go by. */
const FIRST_MS = 1_000;
const FIRST_WRITES_PER_S = 30;
/** Nine reads for every scan. */
const READS_PER_WRITE = 9;
/** Of the rides that are followed: so many are asked for on purpose, which is no part of the mix and hardly ever a hit. */
const ASK_ONE_IN = 10;
const RESORTS = 10;
const SHARES = { rides: 50, days: 20, day: 10, seasons: 10, resort: 10 };
const KINDS = Object.keys(SHARES) as (keyof typeof SHARES)[];

interface ReadRequest extends LoadRequest {
  /** whose whole history it asks for */
  judgedSkier?: number | undefined;
  sentAt: number;
}

/** Reads, and a tenth as many writes that go through the whole pipeline, from a process of its own. */
export async function readMixLoad(o: Options): Promise<ReadMix> {
  return resultSchema.parse(await runChild(fileURLToPath(import.meta.url), o));
}

async function load(o: Options): Promise<ReadMix> {
  const watch = new AgeWatch(o);
  const tokens = await authorizations(o.tokenSecret, o.skiers);
  const ending = AbortSignal.timeout(o.seconds * 1_000);
  const startedAt = performance.now();
  const before = await answersBySource(o.ridesUrl);
  let [read, refused] = [0, 0];
  const probes: ReadRequest[] = [];
  const follow = follower(watch, (skierId) => probes.push(readRides(skierId, tokens)));
  const reads = closedLoop({
    urls: [o.ridesUrl],
    connections: CONNECTIONS,
    requests: readRequests(o, tokens, probes),
    onReply({ judgedSkier, sentAt }, { status, body }) {
      read += 1;
      if (status !== 200) refused += 1;
      else if (judgedSkier !== undefined) watch.judge(judgedSkier, sentAt, body);
    },
    onFailure: () => void (refused += 1),
    signal: ending,
    ...(o.ratePerS === undefined ? {} : { ratePerS: (o.ratePerS * READS_PER_WRITE) / (READS_PER_WRITE + 1) }),
  });
  const writes = closedLoop({
    urls: [o.edgeUrl],
    connections: WRITERS,
    requests: writeRequests(o),
    onReply({ ride }, { status, body }) {
      const receipt = /"receipt":"([\w-]+)"/.exec(body)?.[1];
      if (status !== 202 || receipt === undefined) refused += 1;
      else if (ride) follow({ ...ride, receipt });
    },
    onFailure: () => void (refused += 1),
    signal: ending,
    ratePerS: () => writesPerS(read, performance.now() - startedAt),
  });
  const [{ perSecond, p50Ms, p95Ms, p99Ms, maxMs }, written] = await Promise.all([reads, writes]);
  const after = await answersBySource(o.ridesUrl);
  await watch.settled();
  const count = (source: string) => (after.get(source) ?? 0) - (before.get(source) ?? 0);
  const all = ['hit', 'shared', 'stale', 'miss'].reduce((sum, source) => sum + count(source), 0);
  return {
    reads: { perSecond, p50Ms, p95Ms, p99Ms, maxMs },
    writesPerS: written.perSecond,
    refused,
    hitRatio: (count('hit') + count('shared')) / all,
    age: watch.findings,
  };
}

function follower(watch: AgeWatch, ask: (skierId: number) => void): (ride: AckedRide) => void {
  let followed = 0;
  return (ride) => {
    followed += 1;
    const isAskedFor = followed % ASK_ONE_IN === 0;
    watch.follow(ride, () => isAskedFor && ask(ride.skierId));
  };
}

function writesPerS(reads: number, sinceMs: number): number {
  return sinceMs < FIRST_MS ? FIRST_WRITES_PER_S : reads / (sinceMs / 1_000) / READS_PER_WRITE + 1;
}

/** Whose newest ride is due comes first. */
function* readRequests(o: Options, tokens: readonly string[], probes: ReadRequest[]): Generator<ReadRequest> {
  const random = seededRandom(o.seed);
  const pick = powerLaw(o.skiers, random);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  for (;;) {
    const request =
      probes.pop() ??
      readOf(
        random.weighted(KINDS, (kind) => SHARES[kind]),
        pick(),
        tokens,
        { random, yesterday },
      );
    request.sentAt = performance.now();
    yield request;
  }
}

function readOf(
  kind: keyof typeof SHARES,
  skierId: number,
  tokens: readonly string[],
  { random, yesterday }: { random: Random; yesterday: string },
): ReadRequest {
  if (kind === 'rides') return readRides(skierId, tokens);
  if (kind === 'resort') {
    return { method: 'GET', path: `/v1/resorts/${random.between(1, RESORTS)}/days/${yesterday}`, sentAt: 0 };
  }
  const path = `/v1/skiers/${skierId}/${kind === 'day' ? `days/${yesterday}` : kind}`;
  return { method: 'GET', path, headers: { authorization: tokens[skierId] ?? '' }, sentAt: 0 };
}

function readRides(skierId: number, tokens: readonly string[]): ReadRequest {
  const headers = { authorization: tokens[skierId] ?? '' };
  return { method: 'GET', path: `/v1/skiers/${skierId}/rides`, headers, judgedSkier: skierId, sentAt: 0 };
}

/** Everyone rides as often as everyone else: who is read about most takes no more lifts than the others. */
function* writeRequests(o: Options): Generator<LoadRequest & { ride: Omit<AckedRide, 'receipt'> | undefined }> {
  const headers = { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' };
  let at = 0;
  for (const scan of benchScans(o.skiers)) {
    at += 1;
    const ride = at % o.followEvery === 0 ? scan : undefined;
    yield { method: 'POST', path: '/v1/scans', headers, body: JSON.stringify(scan), ride };
  }
}

async function answersBySource(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = new Map<string, number>();
  for (const [, source = '', value] of text.matchAll(/^liftline_cache_answers_total\{.*source="(\w+)"\} (\d+)$/gm)) {
    counts.set(source, (counts.get(source) ?? 0) + Number(value));
  }
  return counts;
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await load(optionsSchema.parse(JSON.parse(process.argv[2] ?? '')))));
}
