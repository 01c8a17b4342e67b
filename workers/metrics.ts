import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { WriteOutcome } from '../src/shards/batch-part.ts';

/** What a worker counts; the ledger is what must add up, these are for graphs. */
export interface WorkerMetrics {
  /** a write that was committed */
  wrote(lane: number, write: { outcome: WriteOutcome; rows: number; seconds: number }): void;
  /** a job became readable `seconds` after the queue took it */
  fresh(seconds: number): void;
  /** whether the lane waits for a node */
  held(lane: number, node: string, isHeld: boolean): void;
  failed(lane: number, verdict: string): void;
}

const WRITE_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const FRESHNESS_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600];
const ROW_BUCKETS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000];

export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const { scans, writeSeconds, rows, freshness, held, failures } = declare([registry]);
  return {
    wrote(lane, write) {
      for (const outcome of ['persisted', 'duplicate', 'dead'] as const) {
        if (write.outcome[outcome] > 0) scans.inc({ lane, outcome }, write.outcome[outcome]);
      }
      writeSeconds.observe(write.seconds);
      rows.observe(write.rows);
    },
    fresh: (seconds) => freshness.observe(Math.max(0, seconds)),
    held: (lane, node, isHeld) => held.set({ lane, node }, isHeld ? 1 : 0),
    failed: (lane, verdict) => failures.inc({ lane, verdict }),
  };
}

function declare(registers: Registry[]) {
  return {
    scans: new Counter({
      name: 'liftline_worker_scans_total',
      help: 'Scans that this worker has settled, by what became of them',
      labelNames: ['lane', 'outcome'] as const,
      registers,
    }),
    writeSeconds: new Histogram({
      name: 'liftline_write_seconds',
      help: 'Time of a write to a node, its COMMIT included',
      buckets: WRITE_BUCKETS_S,
      registers,
    }),
    rows: new Histogram({ name: 'liftline_write_rows', help: 'Scans in a write', buckets: ROW_BUCKETS, registers }),
    freshness: new Histogram({
      name: 'liftline_freshness_seconds',
      help: "Time from a job's ack to its COMMIT, on the clock of the queue's server",
      buckets: FRESHNESS_BUCKETS_S,
      registers,
    }),
    held: new Gauge({
      name: 'liftline_lane_held',
      help: '1 while a lane waits for a node that does not take its writes',
      labelNames: ['lane', 'node'] as const,
      registers,
    }),
    failures: new Counter({
      name: 'liftline_write_failures_total',
      help: 'Writes that were not committed, by what their error meant',
      labelNames: ['lane', 'verdict'] as const,
      registers,
    }),
  };
}
