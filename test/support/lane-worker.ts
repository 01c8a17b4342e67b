import { v7 as uuidv7 } from 'uuid';
import { Registry } from 'prom-client';
import type { Batch } from '../../src/domain/batch.ts';
import type { Scan } from '../../src/domain/scan.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { encodeBatch } from '../../src/queue/codec.ts';
import { openWriteNodes } from '../../src/shards/write-nodes.ts';
import { LaneWorker } from '../../workers/lane-worker.ts';
import { createWorkerMetrics } from '../../workers/metrics.ts';
import type { TestMap } from './nodes.ts';
import { recordedLog } from './recorded-log.ts';

export const ACCEPTED_AT = Date.UTC(2026, 0, 10, 12);

export interface Requeued {
  lane: number;
  scans: Scan[];
  parent: Pick<Batch, 'batchId' | 'acceptedAt'>;
}

/** A lane's worker as a process has it, whose queue is the test itself. */
export function startLaneWorker(o: {
  map: TestMap;
  lifecycle: Lifecycle;
  lane?: number;
  statementTimeoutMs?: number;
  /** whether a part can go back to the queue now */
  canRequeue?: () => boolean;
}) {
  const { logger, messages } = recordedLog();
  const registry = new Registry();
  const requeued: Requeued[] = [];
  const worker = new LaneWorker({
    lane: o.lane ?? 0,
    directory: o.map,
    nodes: openWriteNodes({
      poolSize: 4,
      statementTimeoutMs: o.statementTimeoutMs ?? 1_000,
      logger,
      lifecycle: o.lifecycle,
    }),
    requeue(lane, scans, parent) {
      if (o.canRequeue && !o.canRequeue()) return Promise.reject(new Error('the queue is away'));
      requeued.push({ lane, scans, parent });
      return Promise.resolve();
    },
    maxRowsPerWrite: 2_000,
    writesInFlight: 1,
    paceMs: 0,
    jobsAtOnce: 100,
    queueNowMs: () => ACCEPTED_AT + 40,
    metrics: createWorkerMetrics(registry),
    logger,
  });
  let jobs = 0;
  /** @returns the promise that the consumer would wait for */
  const handle = (data: unknown, signal: AbortSignal = new AbortController().signal) =>
    worker.handle({ jobId: String(++jobs), data, signal });
  const metric = async (name: string, labels: Record<string, string> = {}) => {
    const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
    const found = values.find((value) =>
      Object.entries(labels).every(
        ([label, wanted]) => String((value.labels as Record<string, unknown>)[label]) === wanted,
      ),
    );
    return found?.value;
  };
  return { worker, handle, requeued, messages, metric };
}

/** A job's data as an edge makes it. */
export function jobOf(scans: Scan[], batchId: string = uuidv7()): unknown {
  return JSON.parse(JSON.stringify(encodeBatch({ batchId, acceptedAt: ACCEPTED_AT, scans }))) as unknown;
}
