import { Registry } from 'prom-client';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { type Confirmation, GroupCommit, type Settle } from '../../src/edge/group-commit.ts';
import { createEdgeMetrics } from '../../src/edge/metrics.ts';

interface Job {
  lane: number;
  scans: Scan[];
  confirm(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A queue whose confirmations the test gives by hand. */
function openCommit(o: { maxPendingScans?: number; maxWaitMs?: number } = {}) {
  const jobs: Job[] = [];
  const registry = new Registry();
  const commit = new GroupCommit({
    maxPendingScans: o.maxPendingScans ?? 10_000,
    maxWaitMs: o.maxWaitMs ?? 2_000,
    metrics: createEdgeMetrics(registry),
    enqueue: (lane, scans) =>
      new Promise<Confirmation>((resolve, reject) => {
        const number = jobs.length;
        jobs.push({
          lane,
          scans,
          async confirm() {
            resolve({ batchId: `batch-${number}`, acceptedAt: 1_000 + number, confirmedAt: 2_000 + number });
            await turn();
          },
          async fail(error) {
            reject(error);
            await turn();
          },
        });
      }),
  });
  return { commit, jobs, registry };
}

/** Lets the event loop go around: what was to be sent at the end of this turn is sent. */
const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

function scan(skierId: number): Scan {
  const place = {
    resortId: 1,
    liftId: 2,
    season: 2025,
    day: 3,
    date: '2025-11-03',
    hour: 9,
    verticalM: 20,
    deviceId: 4,
  };
  return { ...place, skierId, eventId: `00000000-0000-8000-8000-${String(skierId).padStart(12, '0')}`, scannedAt: 5 };
}

const scans = (count: number) => Array.from({ length: count }, (_, i) => scan(i + 1));

afterEach(() => {
  vi.useRealTimers();
});

describe('group commit', () => {
  test('a lone scan leaves at the end of its turn, while no timer ever fires', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    const { commit, jobs } = openCommit();
    const settle = vi.fn<Settle>();
    commit.add(0, scan(1), settle);
    await turn();
    expect(jobs).toHaveLength(1);
    expect(settle).not.toHaveBeenCalled();
    await jobs[0]?.confirm();
    expect(settle).toHaveBeenCalledExactlyOnceWith({ batchId: 'batch-0', acceptedAt: 1_000, confirmedAt: 2_000 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('scans that arrive in one turn share a job, in their order', async () => {
    const { commit, jobs } = openCommit();
    for (const each of scans(7)) commit.add(2, each, () => {});
    await turn();
    expect(jobs.map(({ lane, scans: sent }) => [lane, sent.map(({ skierId }) => skierId)])).toEqual([
      [2, [1, 2, 3, 4, 5, 6, 7]],
    ]);
  });

  test('what comes while an add is in flight leaves together when it returns', async () => {
    const { commit, jobs } = openCommit();
    for (const each of scans(4)) {
      commit.add(0, each, () => {});
      await turn();
    }
    expect(jobs.map((job) => job.scans.length)).toEqual([1]);
    await jobs[0]?.confirm();
    expect(jobs.map((job) => job.scans.length)).toEqual([1, 3]);
  });

  test('or beside it, when enough has gathered; but never more than two at once', async () => {
    const { commit, jobs } = openCommit();
    for (const count of [1, 49, 1, 80, 90]) {
      commit.addTogether(0, scans(count), () => {});
      await turn();
    }
    expect(jobs.map((job) => job.scans.length)).toEqual([1, 50]);
    await jobs[0]?.confirm();
    expect(jobs.map((job) => job.scans.length)).toEqual([1, 50, 170]);
  });

  test('lanes do not wait for each other', async () => {
    const { commit, jobs } = openCommit();
    for (const each of scans(4)) {
      commit.add(0, each, () => {});
      await turn();
    }
    commit.add(3, scan(9), () => {});
    await turn();
    expect(jobs.map(({ lane }) => lane)).toEqual([0, 3]);
  });

  test('a job holds at most 500 scans, and scans that share one fate are not torn apart', async () => {
    const { commit, jobs } = openCommit();
    commit.addTogether(0, scans(400), () => {});
    commit.addTogether(0, scans(200), () => {});
    for (const each of scans(301)) commit.add(0, each, () => {});
    await turn();
    expect(jobs.map((job) => job.scans.length)).toEqual([400, 500]);
    await jobs[0]?.confirm();
    expect(jobs.map((job) => job.scans.length)).toEqual([400, 500]);
    await jobs[1]?.confirm();
    expect(jobs.map((job) => job.scans.length)).toEqual([400, 500, 1]);
    expect(() => commit.addTogether(0, scans(501), () => {})).toThrow(RangeError);
  });

  test('a job that fails answers its own callers, with its problem, and no one else', async () => {
    const { commit, jobs } = openCommit();
    const [first, second] = [vi.fn<Settle>(), vi.fn<Settle>()];
    commit.add(0, scan(1), first);
    await turn();
    commit.add(0, scan(2), second);
    const problem = new Problem('queue_unavailable', 'no answer');
    await jobs[0]?.fail(problem);
    expect(first).toHaveBeenCalledExactlyOnceWith(problem);
    expect(second).not.toHaveBeenCalled();
    await jobs[1]?.confirm();
    expect(second).toHaveBeenCalledExactlyOnceWith({ batchId: 'batch-1', acceptedAt: 1_001, confirmedAt: 2_001 });
  });

  test('an unknown error of the queue is queue_unavailable, with the error as its cause', async () => {
    const { commit, jobs } = openCommit();
    const settle = vi.fn<Settle>();
    commit.add(0, scan(1), settle);
    await turn();
    const error = new Error('OOM command not allowed');
    await jobs[0]?.fail(error);
    expect(settle).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: 'queue_unavailable', cause: error }),
    );
  });
});

describe('the bound of the group commit', () => {
  test('over it callers are refused at once, and it opens again when half of it is free', async () => {
    const { commit, jobs } = openCommit({ maxPendingScans: 4 });
    for (const each of scans(4)) {
      commit.add(0, each, () => {});
      await turn();
    }
    const refused = vi.fn<Settle>();
    commit.add(1, scan(5), refused);
    expect(refused).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'overloaded', retryAfterS: 1 }));
    expect(commit.pendingScans).toBe(4);

    await jobs[0]?.confirm();
    expect(commit.pendingScans).toBe(3);
    commit.add(1, scan(6), refused);
    expect(refused).toHaveBeenCalledTimes(2);

    await jobs[1]?.confirm();
    expect(commit.pendingScans).toBe(0);
    commit.add(1, scan(7), refused);
    expect(refused).toHaveBeenCalledTimes(2);
    expect(commit.pendingScans).toBe(1);
  });

  test('scans that share one fate are taken whole or not at all', () => {
    const { commit } = openCommit({ maxPendingScans: 10 });
    const refused = vi.fn<Settle>();
    commit.addTogether(0, scans(11), refused);
    expect(refused).toHaveBeenCalledOnce();
    expect(commit.pendingScans).toBe(0);
    commit.addTogether(0, scans(10), refused);
    expect(refused).toHaveBeenCalledOnce();
  });

  test('what waited too long for its turn is refused instead of sent', async () => {
    const { commit, jobs } = openCommit({ maxWaitMs: -1 });
    const settle = vi.fn<Settle>();
    commit.add(0, scan(1), settle);
    await turn();
    expect(jobs).toHaveLength(0);
    expect(settle).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'queue_unavailable' }));
    expect(commit.pendingScans).toBe(0);
  });
});

describe('draining and metrics', () => {
  test('flush waits for every answer', async () => {
    const { commit, jobs } = openCommit();
    await commit.flush();
    for (const each of scans(3)) {
      commit.add(0, each, () => {});
      await turn();
    }
    const flushed = vi.fn<() => void>();
    const flushing = commit.flush().then(flushed);
    await jobs[0]?.confirm();
    expect(flushed).not.toHaveBeenCalled();
    await jobs[1]?.confirm();
    await flushing;
    expect(commit.pendingScans).toBe(0);
  });

  test('the metrics count what was confirmed, what was not, and what waits', async () => {
    const { commit, jobs, registry } = openCommit();
    commit.addTogether(1, scans(3), () => {});
    await turn();
    commit.add(1, scan(9), () => {});
    await turn();
    await jobs[0]?.confirm();
    await jobs[1]?.fail(new Error('gone'));
    commit.addTogether(2, scans(2), () => {});
    const text = await registry.metrics();
    expect(text).toContain('liftline_edge_scans_enqueued_total{lane="1"} 3');
    expect(text).toContain('liftline_edge_adds_total{lane="1",outcome="confirmed"} 1');
    expect(text).toContain('liftline_edge_adds_total{lane="1",outcome="unconfirmed"} 1');
    expect(text).toContain('liftline_edge_scans_per_job_sum 3');
    expect(text).toContain('liftline_edge_ack_seconds_count 1');
    expect(text).toContain('liftline_edge_pending_scans 2');
  });
});
