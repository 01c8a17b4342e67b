import { Gauge, type Registry } from 'prom-client';
import type { Pipeline, PipelineState } from './pipeline.ts';
import { oldestAgeMs, unfinishedJobs } from '../queue/backlog.ts';

type Fill = (gauge: Gauge, state: PipelineState) => void;

interface Definition {
  name: string;
  help: string;
  labels: string[];
  fill: Fill;
}

const DEFINITIONS: Definition[] = [
  {
    name: 'liftline_backlog_jobs',
    help: 'Jobs in a lane that are not done',
    labels: ['lane'],
    fill: perLane(unfinishedJobs),
  },
  {
    name: 'liftline_backlog_failed_jobs',
    help: 'Jobs in a lane that failed and wait to be put back',
    labels: ['lane'],
    fill: perLane(({ failedJobs }) => failedJobs),
  },
  {
    name: 'liftline_backlog_scans',
    help: 'Scans in flight: accepted and not yet stored',
    labels: ['lane'],
    fill: perLane(({ scans }) => scans),
  },
  {
    name: 'liftline_backlog_oldest_seconds',
    help: 'Age of the oldest scan in flight by the clock of the queue, 0 when there is none',
    labels: ['lane'],
    fill: perLane((lane) => (oldestAgeMs(lane) ?? 0) / 1000),
  },
  {
    name: 'liftline_jobs_enqueued',
    help: 'Jobs ever enqueued in a lane, by the count of the queue',
    labels: ['lane'],
    fill: perLane(({ jobsEnqueued }) => jobsEnqueued),
  },
  {
    name: 'liftline_scans',
    help: 'Scans by what became of them, from the ledgers; enqueued = persisted + duplicate + dead + in_flight',
    labels: ['lane', 'outcome'],
    fill(gauge, { books }) {
      for (const { lane, enqueued, persisted, duplicate, dead, inFlight } of books ?? []) {
        const outcomes = { enqueued, persisted, duplicate, dead, in_flight: inFlight };
        for (const [outcome, scans] of Object.entries(outcomes)) gauge.set({ lane, outcome }, scans);
      }
    },
  },
  {
    name: 'liftline_jobs_unaccounted',
    help: 'Jobs of which the queue and the ledgers tell differently; anything but 0 is a loss to look into',
    labels: ['lane'],
    fill(gauge, { books }) {
      for (const { lane, jobsUnaccounted } of books ?? [])
        if (jobsUnaccounted !== null) gauge.set({ lane }, jobsUnaccounted);
    },
  },
  {
    name: 'liftline_dead_letters',
    help: 'Dead letters that wait for an operator',
    labels: ['node'],
    fill(gauge, { nodes }) {
      for (const { name, ledger } of nodes) if (ledger) gauge.set({ node: name }, ledger.deadLetters);
    },
  },
  {
    name: 'liftline_source_up',
    help: '1 when the queue or node answered this scrape',
    labels: ['source'],
    fill(gauge, { lanes, nodes }) {
      gauge.set({ source: 'queue' }, lanes ? 1 : 0);
      for (const { name, ledger } of nodes) gauge.set({ source: `node ${name}` }, ledger ? 1 : 0);
    },
  },
];

/** Longer than the queue's and the nodes' own limits together; a scrape has 10 s. */
const SCRAPE_LIMIT_MS = 5_000;

/**
 * The numbers of the pipeline, read at each scrape: one look for all of them. What does not answer is left out and shows
 * in `liftline_source_up`; the scrape never fails.
 */
export function registerPipelineMetrics(o: { registry: Registry; pipeline: Pipeline }): void {
  for (const definition of DEFINITIONS) o.registry.registerMetric(gaugeOf(definition, o.pipeline));
}

function gaugeOf({ name, help, labels, fill }: Definition, pipeline: Pipeline): Gauge {
  return new Gauge({
    name,
    help,
    labelNames: labels,
    registers: [],
    async collect() {
      const state = await within(pipeline.read(), SCRAPE_LIMIT_MS);
      this.reset();
      if (state) fill(this, state);
    },
  });
}

function perLane(valueOf: (lane: NonNullable<PipelineState['lanes']>[number]) => number): Fill {
  return (gauge, { lanes }) => {
    for (const lane of lanes ?? []) gauge.set({ lane: lane.lane }, valueOf(lane));
  };
}

async function within<T>(reading: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  try {
    return await Promise.race([reading.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
