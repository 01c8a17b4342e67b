import { z } from 'zod';
import { seededRandom } from '../../src/simulator/random.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
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
    onReply({ question }, { status, body }) {
      if (status === 503) judge.refused();
      if (status === 200) judge.answered(toAnswer(question, body));
    },
    onFailure: () => {},
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

function toAnswer({ subject, read: holds }: Question, body: string): Omit<Answer, 'source'> {
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
        const reply = await fetch(`${url}${question.path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
        const body = await reply.text();
        const answer = reply.ok ? toAnswer(question, body) : undefined;
        return answer && (answer.asOf ?? 0) >= o.acks.lastAt ? answer : undefined;
      };
      const timeoutMs = deadline - Date.now();
      judge.answered(await until(`${subject} at ${name} is complete up to the last ack`, ask, { timeoutMs }));
    }
    return judge.report();
  };
  return Promise.all(o.sources.map(askFor));
}
