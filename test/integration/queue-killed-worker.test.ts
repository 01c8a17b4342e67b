import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openProducer } from '../../src/queue/producer.ts';
import { startSweeper } from '../../src/queue/sweeper.ts';
import { until } from '../support/until.ts';
import { collect, describeQueues, EMPTY, lane0Of, openTestLink, type Site, scansOf } from './queue-backends.ts';

const LOCK_MS = 1_000;
const CHECK_MS = 250;

/** Starts a worker that never finishes a job, and waits until it has one. */
async function startHungWorker(site: Site): Promise<ChildProcess> {
  const program = path.join(import.meta.dirname, 'queue-hung-worker.ts');
  const args = [program, site.queueUrl, site.queuePrefix, String(LOCK_MS), String(CHECK_MS)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  await once(createInterface(child.stdout), 'line');
  return child;
}

const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});

/** Leaves the marks of 11 lost workers on a job, as BullMQ leaves them. */
async function markAsStalledTooOften(site: Site, jobId: string): Promise<void> {
  const link = await openTestLink(site);
  const verdict = 'job stalled more than allowable limit';
  if (link.kind === 'redis') {
    await link.redis(0).hset(`{${site.queuePrefix}:0}:lane-0:${jobId}`, { stc: 11, defa: verdict });
    return;
  }
  await link.pool.query('UPDATE job SET stalled_count = 11, deferred_failure = $1 WHERE id = $2', [verdict, jobId]);
}

describeQueues('a worker that dies', (site) => {
  it('leaves its job to the next one, after the lock and two checks', async () => {
    const producer = await openProducer(site());
    const acked = await producer.enqueue(0, scansOf(5));
    const hung = await startHungWorker(site());
    hung.kill('SIGKILL');
    const killedAt = performance.now();
    const { consumer, got } = collect(site(), { lockMs: LOCK_MS, stallCheckMs: CHECK_MS });
    consumer.start();
    await until('the job comes back', () => got.length === 1);
    expect(performance.now() - killedAt).toBeLessThan(LOCK_MS + 2 * CHECK_MS + 3_000);
    expect(got[0]).toMatchObject({ batchId: acked.batchId, jobId: acked.jobId, acceptedAt: acked.acceptedAt });
    const lane0 = lane0Of(site());
    await until('it is done', async () => (await lane0()).activeJobs === 0);
    expect(await lane0()).toMatchObject({ ...EMPTY, jobsEnqueued: 1 });
  });

  it('may do so time and again: a job that lost its worker too often is failed, swept back, and handled', async () => {
    const producer = await openProducer(site());
    const acked = await producer.enqueue(0, scansOf(1));
    const lane0 = lane0Of(site());
    await markAsStalledTooOften(site(), acked.jobId);
    const { consumer, got } = collect(site(), { lockMs: LOCK_MS, stallCheckMs: CHECK_MS });
    consumer.start();
    await until('BullMQ calls it failed', async () => (await lane0()).failedJobs === 1);
    expect(got).toHaveLength(0);
    const sweeper = startSweeper({ ...site(), lanes: [0], everyMs: 60_000 });
    expect(await sweeper.sweep()).toBe(1);
    await until('it is handled', () => got.length === 1);
    expect(got[0]).toMatchObject({ jobId: acked.jobId, batchId: acked.batchId });
  });
});
