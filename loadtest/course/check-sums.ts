import { closedLoop, type LoadRequest, type LoadResult } from '../client/closed-loop.ts';
import { HttpConnection, type Reply } from '../client/http-connection.ts';
import { until } from '../client/until.ts';
import { COURSE, type Expectation } from './rides.ts';

export interface SumsCheck {
  /** what was read and was not as expected, one sentence each */
  differences: string[];
  reads: LoadResult;
  /** reads that were answered 503 and asked again */
  repeated: number;
}

interface Question extends LoadRequest {
  expected: unknown;
}

const CONNECTIONS = 64;
/** Skiers without any ride whose sums must not exist. */
const ABSENT_SKIERS = 500;
const MAX_DIFFERENCES = 1_000;
const AGAIN_MS = 20_000;

/**
 * Reads operations 2, 3 and 5 for every skier, resort and pair that was acked, and 2 and 3 for some skiers that never
 * rode, and compares with the sums of the distinct rides.
 *
 * @param urls of processes that serve reads
 */
export async function checkSums(urls: readonly string[], expectation: Expectation): Promise<SumsCheck> {
  const differences: string[] = [];
  const note = (text: string) => differences.length < MAX_DIFFERENCES && differences.push(text);
  const later: Question[] = [];
  const reads = await closedLoop({
    urls,
    connections: CONNECTIONS,
    requests: questions(expectation),
    onReply(question, reply) {
      if (reply.status === 503) later.push(question);
      else noteDifference(question, reply, note);
    },
    onFailure: (question, error) => note(`GET ${question.path}: ${error.message}`),
  });
  for (const question of later) await askAgain(urls[0] as string, question, note);
  return { differences, reads, repeated: later.length };
}

/** 503 is an honest answer of a machine that is too busy; it has to pass. */
async function askAgain(url: string, question: Question, note: (text: string) => unknown): Promise<void> {
  const connection = new HttpConnection(url);
  const ask = async () => {
    const reply = await connection.request('GET', question.path);
    return reply.status === 503 ? undefined : reply;
  };
  try {
    const reply = await until('anything but 503', ask, { timeoutMs: AGAIN_MS, everyMs: 250 });
    noteDifference(question, reply, note);
  } catch (error) {
    note(`GET ${question.path}: ${String(error)}`);
  } finally {
    connection.close();
  }
}

function noteDifference(question: Question, { status, body }: Reply, note: (text: string) => unknown): void {
  const got = status === 200 ? body : String(status);
  const expected = typeof question.expected === 'string' ? question.expected : JSON.stringify(question.expected);
  if (!isSame(got, expected)) note(`GET ${question.path}: expected ${expected}, got ${got.slice(0, 200)}`);
}

function* questions(expectation: Expectation): Generator<Question> {
  const { season, day } = COURSE;
  const everyResort = Array.from({ length: COURSE.resorts }, (_, at) => `resort=${at + 1}`).join('&');
  const vertical = (skierId: number) => `/skiers/${skierId}/vertical?${everyResort}&season=${season}`;
  const dayOf = (skierId: number, resortId: number) =>
    `/skiers/${resortId}/seasons/${season}/days/${day}/skiers/${skierId}`;

  for (let resortId = 1; resortId <= COURSE.resorts; resortId += 1) {
    const numSkiers = expectation.skiersOfResort.get(resortId)?.size ?? 0;
    yield { method: 'GET', path: `/resorts/${resortId}/seasons/${season}/day/${day}/skiers`, expected: { numSkiers } };
  }
  for (const [skierId, resorts] of expectation.bySkier) {
    let totalVert = 0;
    for (const [resortId, metres] of resorts) {
      totalVert += metres;
      yield { method: 'GET', path: dayOf(skierId, resortId), expected: metres };
    }
    yield { method: 'GET', path: vertical(skierId), expected: { resorts: [{ seasonID: String(season), totalVert }] } };
  }
  let absent = 0;
  for (let skierId = 1; skierId <= COURSE.skiers && absent < ABSENT_SKIERS; skierId += 1) {
    if (expectation.bySkier.has(skierId)) continue;
    absent += 1;
    yield { method: 'GET', path: dayOf(skierId, 1), expected: '404' };
    yield { method: 'GET', path: vertical(skierId), expected: '404' };
  }
}

/** Same JSON; of an object, the fields that are expected (operation 5 also names the resort). */
function isSame(got: string, expected: string): boolean {
  if (got === expected) return true;
  const [a, b] = [tryJson(got), tryJson(expected)];
  if (!isObject(a) || !isObject(b)) return false;
  return Object.entries(b).every(([name, value]) => JSON.stringify(a[name]) === JSON.stringify(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
