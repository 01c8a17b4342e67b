import { Counter, Gauge, type Registry } from 'prom-client';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import { type LaneBacklog, unfinishedJobs } from '../src/queue/backlog.ts';
import type { BacklogReader } from '../src/queue/backlog-reader.ts';
import { workersNeeded } from '../src/queue/workers-needed.ts';
import { type PoolLook, PoolMeter } from './pool-meter.ts';
import { decidePoolSize, drainS, NEW_POOL, type PoolLimits, type PoolMemory, type PoolView } from './pool-size.ts';
import { heldLanes, type MetricValues, settledScans } from './worker-report.ts';

/** The processes that are sized. */
export interface WorkerPool {
  /** how many there are to be */
  readonly size: number;
  /** how many are ready */
  readonly ready: number;
  resize(count: number): void;
  /** of each worker, and of those that ended */
  metrics(): MetricValues[][];
}

export interface SupervisorOptions {
  pool: WorkerPool;
  backlog: BacklogReader;
  limits: PoolLimits;
  /** seconds in which the pool should be able to store what waits */
  targetS: number;
  /** scans a second that one worker is taken to store until it was measured */
  assumedRatePerS: number;
  registry: Registry;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

const LOOK_MS = 1_000;
/** A queue that stays away is mentioned this often. */
const REMIND_MS = 30_000;

/**
 * Sizes a pool once a second, by what waits, what comes in and what one worker is measured to store; says why in one line
 * each time. While the queue does not answer, the pool stays as it is.
 *
 * It sizes as if the pool were alone: workers elsewhere store some of what it sees, and it may grow for nothing.
 */
export function startSupervisor(o: SupervisorOptions): void {
  const supervisor = new Supervisor(o);
  let looking = false;
  let last: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    if (looking) return; // the queue is slow
    looking = true;
    last = supervisor.look().finally(() => {
      looking = false;
    });
  }, LOOK_MS);
  o.lifecycle.onStop('supervisor', async () => {
    clearInterval(timer);
    await last;
  });
}

class Supervisor {
  readonly #o: SupervisorOptions;
  readonly #meter: PoolMeter;
  readonly #gauges: (view: PoolView) => void;
  #memory: PoolMemory = NEW_POOL;
  #remindedAt = Number.NEGATIVE_INFINITY;

  constructor(o: SupervisorOptions) {
    this.#o = o;
    this.#meter = new PoolMeter(o.assumedRatePerS);
    this.#gauges = declare(o);
  }

  /** Never throws. */
  async look(): Promise<void> {
    const { backlog, pool, targetS } = this.#o;
    let lanes: LaneBacklog[];
    try {
      lanes = await backlog.read();
    } catch (error) {
      this.#meter.forget();
      this.#remind(error);
      return;
    }
    const look = lookOf(lanes, pool);
    this.#meter.note(look);
    const { ratePerS, inflowPerS } = this.#meter;
    const { backlogScans, atMs: nowMs, ready } = look;
    const view: PoolView = { nowMs, workers: pool.size, ready, backlogScans, inflowPerS, ratePerS, targetS };
    const { workers, memory } = decidePoolSize(this.#o.limits, view, this.#memory);
    this.#memory = memory;
    this.#gauges(view);
    if (workers === pool.size) return;
    this.#explain(view, workers, look.held);
    pool.resize(workers);
  }

  #explain(view: PoolView, to: number, waitingForNodes: string): void {
    const detail = {
      from: view.workers,
      to,
      backlogScans: view.backlogScans,
      backlogS: tenths(drainS(view)),
      inflowPerS: Math.round(view.inflowPerS),
      ratePerS: Math.round(view.ratePerS),
      rateIs: this.#meter.isMeasured ? 'measured' : 'assumed',
      needed: tenths(workersNeeded(view)),
      ...(waitingForNodes && { waitingForNodes }),
    };
    const why =
      to > view.workers ? 'the pool grows: what waits takes longer than the target' : 'the pool shrinks: fewer suffice';
    this.#o.logger.info(detail, why);
  }

  #remind(error: unknown): void {
    if (performance.now() - this.#remindedAt < REMIND_MS) return;
    this.#remindedAt = performance.now();
    this.#o.logger.warn({ err: error }, 'the queue does not tell its backlog: the pool stays as it is');
  }
}

/** What waits in a lane whose node is away is no reason for more workers: none of them could store it. */
function lookOf(lanes: readonly LaneBacklog[], pool: WorkerPool): PoolLook {
  const metrics = pool.metrics();
  const held = heldLanes(metrics);
  const open = lanes.filter(({ lane }) => !held.has(lane));
  return {
    atMs: performance.now(),
    backlogScans: open.reduce((sum, { scans }) => sum + scans, 0),
    waitingScans: open.reduce((sum, lane) => sum + waitingScans(lane), 0),
    settled: settledScans(metrics),
    ready: pool.ready,
    held: [...held].toSorted((a, b) => a - b).join(', '),
  };
}

function waitingScans(lane: LaneBacklog): number {
  const jobs = unfinishedJobs(lane);
  return jobs === 0 ? 0 : (lane.scans * lane.waitingJobs) / jobs;
}

function declare({ registry, pool }: SupervisorOptions): (view: PoolView) => void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const size = new Gauge({
    name: 'liftline_pool_workers',
    help: 'Worker processes of this host: ready, and how many there are to be',
    labelNames: ['state'] as const,
    registers: [],
    collect() {
      this.set({ state: 'ready' }, pool.ready);
      this.set({ state: 'desired' }, pool.size);
    },
  });
  registry.registerMetric(size);
  const rate = gauge('liftline_pool_worker_rate', 'Scans a second that one worker stores while it has enough to do');
  const inflow = gauge('liftline_pool_inflow', 'Scans a second that come in');
  const backlog = gauge('liftline_pool_backlog_seconds', 'Seconds that the pool needs for what waits');
  return (view) => {
    rate.set(view.ratePerS);
    inflow.set(view.inflowPerS);
    backlog.set(drainS(view));
  };
}

/** @returns what notes that a worker was started again */
export function countRestarts(registry: Registry): (cause: string) => void {
  const restarts = new Counter({
    name: 'liftline_pool_restarts_total',
    help: 'Workers that were started again, by why: ended by themselves, silent, or stuck',
    labelNames: ['cause'] as const,
    registers: [registry],
  });
  return (cause) => restarts.inc({ cause });
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
