import * as fc from 'fast-check';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { MAX_SCANS_PER_BATCH } from '../../src/domain/batch.ts';
import { Problem } from '../../src/domain/problem.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { type Confirmation, GroupCommit } from '../../src/edge/group-commit.ts';
import { createEdgeMetrics } from '../../src/edge/metrics.ts';

const LANES = 3;

/** What callers do, and after which of it the event loop goes around. */
const arrival = fc.record({
  lane: fc.nat(LANES - 1),
  /** 1 comes alone, more come together */
  scans: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: MAX_SCANS_PER_BATCH })),
  turnAfter: fc.boolean(),
});

/** How the queue treats the jobs, in turn: how many turns of the event loop it takes, and whether it confirms. */
const treatment = fc.record({
  turns: fc.nat(4),
  confirms: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.boolean()),
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('every caller is answered exactly once, with the truth, whatever arrives and whatever the queue does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 60 }),
      fc.array(treatment, { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 3_000 }),
      async (arrivals, treatments, maxPendingScans) => {
        const queue = simulateQueue(treatments);
        const commit = new GroupCommit({
          enqueue: (lane, scans) => queue.enqueue(lane, scans),
          maxPendingScans,
          maxWaitMs: 60_000,
          metrics: createEdgeMetrics(new Registry()),
        });
        const answers: { scans: Scan[]; outcomes: (Confirmation | Problem)[] }[] = [];
        for (const { lane, scans: count, turnAfter } of arrivals) {
          const scans = makeScans(count);
          const outcomes: (Confirmation | Problem)[] = [];
          answers.push({ scans, outcomes });
          const settle = (outcome: Confirmation | Problem) => outcomes.push(outcome);
          if (count === 1) commit.add(lane, scans[0] as Scan, settle);
          else commit.addTogether(lane, scans, settle);
          expect(commit.pendingScans).toBeLessThanOrEqual(maxPendingScans);
          if (turnAfter) await turn();
        }
        await commit.flush();

        expect(queue.largestJob()).toBeLessThanOrEqual(MAX_SCANS_PER_BATCH);
        expect(queue.mostInFlight()).toBeLessThanOrEqual(2);
        for (const { scans, outcomes } of answers) {
          expect(outcomes).toHaveLength(1);
          const [outcome] = outcomes;
          const jobs = new Set(scans.map((scan) => queue.jobOf(scan)));
          expect(jobs.size).toBe(1);
          const isRefused = outcome instanceof Problem && outcome.code === 'overloaded';
          expect(jobs).toEqual(new Set([isRefused ? undefined : outcome]));
        }
        expect(queue.sentTwice()).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

/** Notes for each scan what became of the job that carried it. */
function simulateQueue(treatments: { turns: number; confirms: boolean }[]) {
  const jobs = new Map<Scan, Confirmation | Problem>();
  const inFlight = Array.from({ length: LANES }, () => 0);
  let [number, largest, most, twice] = [0, 0, 0, 0];
  return {
    async enqueue(lane: number, scans: Scan[]): Promise<Confirmation> {
      const { turns, confirms } = treatments[number % treatments.length] as { turns: number; confirms: boolean };
      const confirmation = { batchId: `batch-${number}`, acceptedAt: number, confirmedAt: number + 1 };
      const outcome = confirms ? confirmation : new Problem('queue_unavailable', `job ${number} failed`);
      number += 1;
      largest = Math.max(largest, scans.length);
      most = Math.max(most, (inFlight[lane] = (inFlight[lane] ?? 0) + 1));
      for (const scan of scans) {
        if (jobs.has(scan)) twice += 1;
        jobs.set(scan, outcome);
      }
      for (let i = 0; i < turns; i += 1) await turn();
      inFlight[lane] = (inFlight[lane] ?? 0) - 1;
      if (outcome instanceof Problem) throw outcome;
      return outcome;
    },
    jobOf: (scan: Scan) => jobs.get(scan),
    largestJob: () => largest,
    mostInFlight: () => most,
    sentTwice: () => twice,
  };
}

function makeScans(count: number): Scan[] {
  return Array.from({ length: count }, (_, i) => ({
    eventId: '00000000-0000-8000-8000-000000000001',
    skierId: i + 1,
    resortId: 1,
    liftId: 2,
    scannedAt: 5,
    season: 2025,
    day: 3,
    date: '2025-11-03',
    hour: 9,
    verticalM: 20,
    deviceId: 4,
  }));
}
