import { afterEach, describe, expect, test } from 'vitest';
import { checkSums } from '../../loadtest/course/check-sums.ts';
import { bookProblems, untilDrained } from '../../loadtest/course/conservation.ts';
import { directoryDown, type Fault, nodeOutage, workerKills } from '../../loadtest/course/faults.ts';
import { courseLoad } from '../../loadtest/course/load.ts';
import { type Stack, type StackOptions, startStack } from '../../loadtest/stack.ts';
import { processesNaming } from '../support/processes.ts';
import { redisAvailable } from '../support/redis.ts';

const REQUESTS = 3_000;
/** A killed worker's jobs come back soon. */
const QUICK_RECOVERY = { LOCK_MS: '2000', STALL_CHECK_MS: '500' };

let stack: Stack | undefined;
afterEach(async () => {
  const { folder } = stack ?? {};
  await stack?.stop();
  stack = undefined;
  const left = folder ? processesNaming(folder) : [];
  if (left.length > 0) throw new Error(`the stack left processes behind: ${left.join(', ')}`);
});

async function start(o: Omit<StackOptions, 'queue'>): Promise<Stack> {
  stack = await startStack({ queue: redisAvailable ? 'redis' : 'postgres', ...o });
  return stack;
}

/** Posts a small course under faults. @returns every post without 201, every book and every sum that is not exact */
async function problemsUnder(of: Stack, faults: Fault[], ratePerS?: number): Promise<string[]> {
  const { expectation, refusals } = await courseLoad({
    urls: of.edges.map(({ url }) => url),
    requests: REQUESTS,
    seed: 'faults',
    faults,
    onProgress: () => {},
    ...(ratePerS === undefined ? {} : { ratePerS }),
  });
  const books = await untilDrained({ opsUrl: of.ops.url, adminKey: of.adminKey }, 60_000);
  const readUrls = of.rides.map(({ url }) => url);
  const { differences } = await checkSums(readUrls, expectation);
  return [...refusals.map(({ reason }) => reason), ...bookProblems(books, expectation), ...differences];
}

describe("split processes under the course's load", () => {
  test('workers killed with -9: every sum exact, dead letters empty, the books balance', async () => {
    const running = await start({ workers: 2, env: QUICK_RECOVERY });
    const before = running.workers.map(({ pid }) => pid);
    expect(await problemsUnder(running, workerKills(running), 1_000)).toEqual([]);
    expect(running.workers.map(({ pid }) => pid)).not.toEqual(before);
  }, 180_000);

  test('the directory stopped: scans are acked, persisted and readable all the same', async () => {
    const running = await start({ separateServers: true });
    expect(await problemsUnder(running, [directoryDown(running)])).toEqual([]);
  }, 180_000);

  test('a node that stops answering: no post refused, afterwards every sum exact', async () => {
    const running = await start({ separateServers: true, env: { STATEMENT_TIMEOUT_MS: '2000' } });
    expect(await problemsUnder(running, [nodeOutage(running, 4, 0.2)], 500)).toEqual([]);
  }, 180_000);
});
