import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { seededRandom } from '../../src/simulator/random.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
import { median } from '../client/latencies.ts';
import type { Acks, HistoryAnswer, Lie } from './acks.ts';

export interface ReadsOptions {
  /** the rides processes, by name */
  sources: readonly { name: string; url: string }[];
  adminKey: string;
  skiers: number;
  readsPerS: number;
  seed: string;
  acks: Acks;
  signal: AbortSignal;
}

export interface ReadsReport {
  source: string;
  answers: number;
  stale: number;
  /** answers without asOf, at the start */
  untold: number;
  /** 503: a node was away and nothing was kept */
  refused: number;
  /** milliseconds that asOf was behind when the answer came, median and largest of answers that were not stale */
  medianAgeMs: number;
  largestAgeMs: number;
}

interface ReadRequest extends LoadRequest {
  skierId: number;
}

const CONNECTIONS = 4;
const TIMEOUT_MS = 5_000;
const PAGE = 200;
/** An answer is judged so much later: acks of what it claims to hold may still be on their way. */
const JUDGED_AFTER_MS = 2_000;

const answerSchema = z.object({
  asOf: z.iso.datetime().nullable(),
  stale: z.boolean().optional(),
  rides: z.array(z.object({ eventId: z.string() })),
  nextCursor: z.null(), // else this reader does not see all of a history, and could judge nothing
});

/** Reads whole histories until the signal, and judges each of them. */
export async function read(o: ReadsOptions): Promise<{ reports: ReadsReport[]; lies: Lie[] }> {
  const lies: Lie[] = [];
  const reports = await Promise.all(o.sources.map((source) => readFrom(source, o, lies)));
  return { reports, lies };
}

async function readFrom(source: { name: string; url: string }, o: ReadsOptions, lies: Lie[]): Promise<ReadsReport> {
  const report = { source: source.name, answers: 0, stale: 0, untold: 0, refused: 0 };
  const agesMs: number[] = [];
  const judging: Promise<void>[] = [];
  await closedLoop<ReadRequest>({
    urls: [source.url],
    connections: CONNECTIONS,
    requests: requests(o, source.name),
    onReply({ skierId }, { status, body }) {
      if (status === 503) report.refused += 1;
      if (status !== 200) return;
      const answer = toAnswer(source.name, skierId, body);
      report.answers += 1;
      if (answer.isStale) report.stale += 1;
      else if (answer.asOf === null) report.untold += 1;
      else agesMs.push(Date.now() - answer.asOf);
      judging.push(delay(JUDGED_AFTER_MS).then(() => void lies.push(...o.acks.lies(answer))));
    },
    onFailure: () => {},
    ratePerS: o.readsPerS,
    timeoutMs: TIMEOUT_MS,
    signal: o.signal,
  });
  await Promise.all(judging);
  return { ...report, medianAgeMs: Math.round(median(agesMs)), largestAgeMs: Math.max(0, ...agesMs) };
}

function* requests({ skiers, adminKey, seed }: ReadsOptions, name: string): Generator<ReadRequest> {
  const random = seededRandom(`${seed}/${name}`);
  const headers = { authorization: `Bearer ${adminKey}` };
  for (;;) {
    const skierId = random.between(1, skiers);
    yield { method: 'GET', path: `/v1/skiers/${skierId}/rides?limit=${PAGE}`, headers, skierId };
  }
}

function toAnswer(source: string, skierId: number, body: string): HistoryAnswer {
  const { asOf, stale, rides } = answerSchema.parse(JSON.parse(body));
  const eventIds = rides.map(({ eventId }) => eventId);
  return { source, skierId, asOf: asOf === null ? null : Date.parse(asOf), isStale: stale === true, eventIds };
}
