import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ProblemCode } from '../domain/problem.ts';
import type { AdmissionState } from '../queue/admission.ts';

/**
 * What an edge counts. All of it is noted once a job or once a refusal, never once an accepted scan: an observation costs
 * half a microsecond, and `liftline_http_request_seconds` already has every request.
 */
export interface EdgeMetrics {
  /** a lane's job was confirmed; times in milliseconds */
  confirmed(job: { lane: number; scans: number; longestWaitMs: number }): void;
  /** a lane's job could not be confirmed: none of its scans is accepted */
  unconfirmed(job: { lane: number }): void;
  /** scans that got no ack, by the problem's code */
  refused(code: ProblemCode, scans: number): void;
  /** where the number of scans that wait for the queue is read from, and how many may */
  watchPending(pending: () => number, limit: number): void;
  /** where it is read from whether the lanes are open */
  watchAdmission(states: () => readonly AdmissionState[]): void;
  /** a lane has closed or opened */
  admissionChanged: (state: AdmissionState) => void;
}

const ACK_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const JOB_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Declares the edge's metrics on a process's registry. */
export function createEdgeMetrics(registry: Registry): EdgeMetrics {
  const { enqueued, adds, ack, jobSize, refused, admissionChanges } = declare([registry]);
  return {
    confirmed(job) {
      enqueued.inc({ lane: job.lane }, job.scans);
      adds.inc({ lane: job.lane, outcome: 'confirmed' });
      ack.observe(job.longestWaitMs / 1000);
      jobSize.observe(job.scans);
    },
    unconfirmed: (job) => adds.inc({ lane: job.lane, outcome: 'unconfirmed' }),
    refused: (code, scans) => refused.inc({ reason: code }, scans),
    watchPending(pending, limit) {
      declarePending([registry], pending);
      declarePendingLimit([registry], limit);
    },
    watchAdmission: (states) => declareAdmission([registry], states),
    admissionChanged: ({ lane, reason, isClosed }) =>
      admissionChanges.inc({ lane, reason, to: isClosed ? 'closed' : 'open' }),
  };
}

function declare(registers: Registry[]) {
  return {
    enqueued: new Counter({
      name: 'liftline_edge_scans_enqueued_total',
      help: 'Scans that the queue has confirmed',
      labelNames: ['lane'] as const,
      registers,
    }),
    adds: new Counter({
      name: 'liftline_edge_adds_total',
      help: 'Jobs that the edge tried to add to a lane, by outcome',
      labelNames: ['lane', 'outcome'] as const,
      registers,
    }),
    ack: new Histogram({
      name: 'liftline_edge_ack_seconds',
      help: 'For each confirmed job, how long the scan that waited longest had waited',
      buckets: ACK_BUCKETS_S,
      registers,
    }),
    jobSize: new Histogram({
      name: 'liftline_edge_scans_per_job',
      help: 'Scans in each confirmed job',
      buckets: JOB_BUCKETS,
      registers,
    }),
    refused: new Counter({
      name: 'liftline_edge_scans_refused_total',
      help: 'Scans that got no ack, by the code of the problem; a body that could not be read counts as one',
      labelNames: ['reason'] as const,
      registers,
    }),
    admissionChanges: new Counter({
      name: 'liftline_edge_admission_changes_total',
      help: 'How often a lane was closed to scans, and opened again, by reason',
      labelNames: ['lane', 'reason', 'to'] as const,
      registers,
    }),
  };
}

function declarePending(registers: Registry[], pending: () => number): Gauge {
  return new Gauge({
    name: 'liftline_edge_pending_scans',
    help: 'Scans that wait for the confirmation of the queue',
    registers,
    collect() {
      this.set(pending());
    },
  });
}

function declareAdmission(registers: Registry[], states: () => readonly AdmissionState[]): Gauge {
  return new Gauge({
    name: 'liftline_edge_admission_closed',
    help: '1 while a lane takes no scans, by reason: its age, its scans, or the memory of its Redis server',
    labelNames: ['lane', 'reason'] as const,
    registers,
    collect() {
      for (const { lane, reason, isClosed } of states()) this.set({ lane, reason }, isClosed ? 1 : 0);
    },
  });
}

function declarePendingLimit(registers: Registry[], limit: number): void {
  const gauge = new Gauge({
    name: 'liftline_edge_pending_limit_scans',
    help: 'MAX_PENDING_SCANS: with so many waiting, scans are refused',
    registers,
  });
  gauge.set(limit);
}
