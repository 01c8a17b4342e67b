import { z } from 'zod';
import { seededRandom } from '../../src/simulator/random.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
import type { Reply } from '../client/http-connection.ts';
import { until } from '../client/until.ts';
import type { Acks, Answer } from './acks.ts';
import { Judge, type ReadsReport } from './judge.ts';
import { type Question, questionOf, questions } from './questions.ts';

interface Source {
  name: string;
  url: string;
}

export interface ReadsOptions {
  /** the rides processes */
  sources: readonly Source[];
  adminKey: string;
  skiers: number;
  resorts: number;
  readsPerS: number;
  seed: string;
  acks: Acks;
  onLie: () => void;
  signal: AbortSignal;
}

interface ReadRequest extends LoadRequest {
  question: Question;
}

const CONNECTIONS = 4;
const TIMEOUT_MS = 5_000;

const stated = z.object({ asOf: z.iso.datetime().nullable(), stale: z.boolean().optional() });

/** Reads histories, days, totals and resorts' days until the signal, and judges each answer. */
export function read(o: ReadsOptions): Promise<ReadsReport[]> {
  return Promise.all(o.sources.map((source) => readFrom(source, o)));
}

async function readFrom({ name, url }: Source, o: ReadsOptions): Promise<ReadsReport> {
  const judge = new Judge(o.acks, name, o.onLie);
  await closedLoop<ReadRequest>({
    urls: [url],
    connections: CONNECTIONS,
    requests: requests(o, name),
    onReply({ question }, reply) {
      const answer = answerOf(question, reply, judge);
      if (answer) judge.answered(answer);
    },
    onFailure: () => {}, // one that hangs or is gone gives too few answers
    ratePerS: o.readsPerS,
    timeoutMs: TIMEOUT_MS,
    signal: o.signal,
  });
  return judge.report();
}

function* requests(o: ReadsOptions, name: string): Generator<ReadRequest> {
  const headers = { authorization: `Bearer ${o.adminKey}` };
  for (const question of questions(seededRandom(`${o.seed}/${name}`), o)) {
    yield { method: 'GET', path: question.path, headers, question };
  }
}

/** @returns undefined for a reply that says nothing, which the judge counts */
function answerOf(
  { subject, read: holds }: Question,
  { status, body }: Reply,
  judge: Judge,
): Omit<Answer, 'source'> | undefined {
  if (status !== 200) {
    if (status === 503) judge.refused();
    else judge.other(status);
    return undefined;
  }
  const content: unknown = JSON.parse(body);
  const { asOf, stale } = stated.parse(content);
  return { subject, asOf: asOf === null ? null : Date.parse(asOf), isStale: stale === true, holds: holds(content) };
}

const COMPLETE_MS = 60_000;

/**
 * Asks for every subject once nothing is sent any more, and until the answer is complete up to the last ack: an asOf that
 * stood still for ever would not lie either.
 *
 * @throws Error when some never becomes complete
 */
export async function readUntilComplete(o: Omit<ReadsOptions, 'signal' | 'readsPerS'>): Promise<ReadsReport[]> {
  const deadline = Date.now() + COMPLETE_MS;
  const headers = { authorization: `Bearer ${o.adminKey}` };
  const askFor = async ({ name, url }: Source) => {
    const judge = new Judge(o.acks, `${name} at the end`, o.onLie);
    for (const subject of o.acks.subjects) {
      const question = questionOf(subject);
      const ask = async () => {
        const response = await fetch(`${url}${question.path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
        const reply = { status: response.status, body: await response.text() };
        const answer = answerOf(question, reply, judge);
        return answer && (answer.asOf ?? 0) >= o.acks.lastAt ? answer : undefined;
      };
      const timeoutMs = deadline - Date.now();
      judge.answered(await until(`${subject} at ${name} is complete up to the last ack`, ask, { timeoutMs }));
    }
    return judge.report();
  };
  return Promise.all(o.sources.map(askFor));
}
