import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assureQueue } from '../../src/cli/assure-queue.ts';
import { ConfigError } from '../../src/platform/config.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { judgeClockSkew, measureClockSkew, watchClockSkew } from '../../src/queue/clock-skew.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

const LOCK_MS = 10_000;
const judged = (skewMs: number, errorMs = 1) => judgeClockSkew({ skewMs, errorMs }, LOCK_MS);
const offBy = (ms: number) => () => Date.now() + ms;

describe('the clock of a worker on Postgres', () => {
  let database: TestDatabase;
  let log: ReturnType<typeof recordedLog>;
  let lifecycle: Lifecycle;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    log = recordedLog();
    lifecycle = new Lifecycle(log);
  });
  afterEach(() => lifecycle.stop(10_000));

  it.each([-90_000, -1_500, 0, 90_000])('is measured: off by %d ms', async (ms) => {
    const skew = await measureClockSkew(database.url, offBy(ms));
    // both dates are this machine's own, in whole milliseconds here
    expect(Math.abs((skew?.skewMs ?? NaN) - ms)).toBeLessThanOrEqual((skew?.errorMs ?? NaN) + 2);
  });

  it('keeps a worker from starting that others would take jobs from, and only warns of less', () => {
    expect(judged(900)).toBeUndefined();
    expect(judged(1_100)).toEqual({ warning: expect.stringMatching(/1\.1 s ahead of.*at most 3\.3 s/) });
    expect(judged(-3_300)).toEqual({ warning: expect.stringMatching(/3\.3 s behind/) });
    expect(judged(-3_400)).toEqual({ problem: expect.stringMatching(/3\.4 s behind.*NTP/) });
    expect(judged(90_000)).toEqual({ problem: expect.stringMatching(/90\.0 s ahead of/) });
    // a slow answer proves nothing
    expect(judged(3_000, 2_900)).toBeUndefined();
  });

  it('is looked at while it runs, and said once', async () => {
    let skewMs = 0;
    const localMs = () => Date.now() + skewMs;
    watchClockSkew({ ...log, queueUrl: database.url, lockMs: LOCK_MS, everyMs: 20, lifecycle, localMs });
    skewMs = 90_000;
    await until('it is said', () => log.messages().includes('the clock is off'));
    skewMs = 0;
    await until('it is right again', () => log.messages().includes('the clock is right again'));
    expect(log.messages().filter((message) => message === 'the clock is off')).toHaveLength(1);
  });

  it('is checked with everything else, before a worker starts', async () => {
    const config = {
      queueUrl: database.url,
      queuePrefix: 'skew',
      queueDurability: 'strict',
      queueReplicas: 0,
      lockMs: LOCK_MS,
    } as const;
    const problems = await assureQueue(config, { ...log, lifecycle, isWorker: true, localMs: offBy(90_000) }).catch(
      (error: unknown) => (error as ConfigError).problems,
    );
    // the tests' own server runs without fsync
    expect(problems).toEqual([expect.stringMatching(/fsync is off/), expect.stringMatching(/clock is 90/)]);
  });
});

describe('the clock of a worker on Redis', () => {
  it('does not matter: the server keeps the locks', async () => {
    expect(await measureClockSkew('redis://127.0.0.1:1')).toBeUndefined();
  });
});
