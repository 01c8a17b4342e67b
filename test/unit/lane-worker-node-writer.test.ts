import { Registry } from 'prom-client';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { BatchPart } from '../../src/shards/batch-part.ts';
import type { WriteOutcome } from '../../src/shards/batch-part.ts';
import { createWorkerMetrics } from '../../workers/metrics.ts';
import { NodeWriter, type NodeWriterOptions } from '../../workers/node-writer.ts';
import { scanNo } from '../support/nodes.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

interface Attempt {
  jobs: string[];
  answer: PromiseWithResolvers<WriteOutcome>;
}

const away = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
const stale = () => Object.assign(new Error('no partition'), { severity: 'ERROR', code: '23514' });
const DONE: WriteOutcome = { persisted: 1, duplicate: 0, dead: 0 };
const { signal } = new AbortController();

let attempts: Attempt[];
let fates: Record<string, string>;
let log: ReturnType<typeof recordedLog>;

beforeEach(() => {
  attempts = [];
  fates = {};
  log = recordedLog();
});

function writerOf(o: Partial<Pick<NodeWriterOptions, 'maxRows' | 'writesInFlight' | 'paceMs' | 'jobsAtOnce'>> = {}) {
  return new NodeWriter({
    lane: 0,
    node: 'node-1',
    store(parts) {
      const attempt = { jobs: parts.map(({ jobId }) => jobId), answer: Promise.withResolvers<WriteOutcome>() };
      attempts.push(attempt);
      return attempt.answer.promise;
    },
    maxRows: o.maxRows ?? 100,
    writesInFlight: o.writesInFlight ?? 1,
    paceMs: o.paceMs ?? 0,
    jobsAtOnce: o.jobsAtOnce ?? 100,
    onStored: () => {},
    metrics: createWorkerMetrics(new Registry()),
    logger: log.logger,
  });
}

function submit(writer: NodeWriter, jobId: string, o: { rows?: number; canWait?: boolean; signal?: AbortSignal } = {}) {
  const scans = Array.from({ length: o.rows ?? 1 }, (_, i) => scanNo(i));
  const part: BatchPart = { batchId: jobId, jobId, acceptedAt: 0, jobs: 1, scans, shards: scans.map(() => 0) };
  const note = async () => {
    const fate = writer.submit(part, { canWait: o.canWait ?? true, signal: o.signal ?? signal });
    fates[jobId] = await fate.catch((reason: Error) => reason.message);
  };
  void note();
}

const nth = (n: number) => attempts[n] as Attempt;
const attempt = (n: number) => until(`attempt ${n}`, () => attempts.length > n && nth(n));

describe('what one lane writes to one node', () => {
  test('the first job goes at once, those that come meanwhile share the next write', async () => {
    const writer = writerOf();
    for (const job of ['a', 'b', 'c']) submit(writer, job);
    expect(attempts.map(({ jobs }) => jobs)).toEqual([['a']]);
    nth(0).answer.resolve(DONE);
    expect((await attempt(1)).jobs).toEqual(['b', 'c']);
    expect(fates).toEqual({ a: 'stored' });
    nth(1).answer.resolve(DONE);
    await until('all are done', () => fates.b === 'stored' && fates.c === 'stored');
  });

  test('a write holds no more scans than it may, and at least one job', async () => {
    const writer = writerOf({ maxRows: 10 });
    submit(writer, 'a');
    for (const [job, rows] of Object.entries({ b: 6, c: 4, d: 1, e: 50, f: 1 })) submit(writer, job, { rows });
    for (let n = 0; n < 5; n += 1) (await attempt(n)).answer.resolve(DONE);
    expect(attempts.map(({ jobs }) => jobs.join(''))).toEqual(['a', 'bc', 'd', 'e', 'f']);
  });

  test('two writes are under way at once when that is allowed', () => {
    const writer = writerOf({ writesInFlight: 2 });
    for (const job of ['a', 'b', 'c']) submit(writer, job);
    expect(attempts.map(({ jobs }) => jobs)).toEqual([['a'], ['b']]);
  });

  test('jobs that come soon after a write began share the next one, which starts when its time has come', async () => {
    const writer = writerOf({ writesInFlight: 2, paceMs: 30 });
    const startedAt = performance.now();
    submit(writer, 'a');
    for (const job of ['b', 'c']) submit(writer, job);
    expect(attempts.map(({ jobs }) => jobs)).toEqual([['a']]);
    expect((await attempt(1)).jobs).toEqual(['b', 'c']);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
  });

  test.each([
    { why: 'enough scans wait', rows: 200, jobsAtOnce: 100 },
    { why: 'no more jobs can come', rows: 1, jobsAtOnce: 3 },
  ])('a write does not wait for its time when $why', ({ rows, jobsAtOnce }) => {
    const writer = writerOf({ writesInFlight: 2, paceMs: 3_600_000, maxRows: 1_000, jobsAtOnce });
    submit(writer, 'a');
    submit(writer, 'b', { rows });
    expect(attempts).toHaveLength(1);
    submit(writer, 'c', { rows });
    expect(attempts.map(({ jobs }) => jobs)).toEqual([['a'], ['b', 'c']]);
  });

  test('fails twice, waits in between, and then goes on with one job alone before all others', async () => {
    const writer = writerOf();
    submit(writer, 'a');
    for (const job of ['b', 'c']) submit(writer, job);
    nth(0).answer.reject(away());
    (await attempt(1)).answer.reject(away());
    const third = await attempt(2);
    expect([nth(1).jobs, third.jobs]).toEqual([['a'], ['a']]);
    expect(fates).toEqual({});
    third.answer.resolve(DONE);
    expect((await attempt(3)).jobs).toEqual(['b', 'c']);
    expect(log.messages()).toEqual(['the node takes no writes, holding', 'the node takes writes again']);
  });

  test('who can not wait learns at once, and still finds out when the node is back', async () => {
    const writer = writerOf();
    submit(writer, 'a', { canWait: false });
    submit(writer, 'b', { canWait: false });
    nth(0).answer.reject(away());
    await until('both know', () => fates.a === 'away' && fates.b === 'away');
    submit(writer, 'c', { canWait: false });
    await until('so does one that comes while it waits', () => fates.c === 'away');
    await until('somebody may try', () => {
      submit(writer, 'd', { canWait: false });
      return attempts.length > 1;
    });
    nth(1).answer.resolve(DONE);
    await until('it is back', () => fates.d === 'stored');
    expect(attempts.map(({ jobs }) => jobs)).toEqual([['a'], ['d']]);
  });

  test('a stale map sends a write back to its sender, and holds nobody else up', async () => {
    const writer = writerOf();
    submit(writer, 'a');
    submit(writer, 'b');
    nth(0).answer.reject(stale());
    await attempt(1);
    expect(fates).toEqual({ a: 'moved' });
  });

  test('a changed map sends back all that waits', async () => {
    const writer = writerOf();
    submit(writer, 'a');
    submit(writer, 'b');
    writer.release();
    await until('it is back', () => fates.b === 'moved');
    expect(fates).toEqual({ b: 'moved' });
  });

  test('a job that was given back is dropped while it waits, and not while it is written', async () => {
    const writer = writerOf();
    const givenBack = new AbortController();
    submit(writer, 'a', { signal: givenBack.signal });
    submit(writer, 'b', { signal: givenBack.signal });
    submit(writer, 'c');
    givenBack.abort(new Error('given back'));
    await until('the waiting one is gone', () => fates.b === 'given back');
    expect(fates).toEqual({ b: 'given back' });
    nth(0).answer.resolve(DONE);
    expect((await attempt(1)).jobs).toEqual(['c']);
    submit(writer, 'd', { signal: givenBack.signal });
    await until('none is taken afterwards', () => fates.d === 'given back');
  });

  test('an error that nobody thought of is logged as one, and tried again', async () => {
    const writer = writerOf();
    const error = vi.spyOn(log.logger, 'error');
    submit(writer, 'a');
    nth(0).answer.reject(new TypeError('a defect'));
    (await attempt(1)).answer.resolve(DONE);
    await until('it is stored', () => fates.a === 'stored');
    expect(error).toHaveBeenCalledOnce();
  });
});
