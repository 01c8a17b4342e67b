import { setting } from './setting.ts';
import { numbers, whole } from './setting-kinds.ts';

/** The settings of workers and of what they stand on; a part of `SETTINGS`. */
export const WORKER_SETTINGS = {
  nodePool: setting(whole(1, 100), {
    name: 'NODE_POOL',
    default: '4',
    unit: 'connections',
    processes: ['rides', 'ops', 'worker', 'up'],
    describe: 'Connections that one process opens to each node.',
  }),
  nodeTimeoutMs: setting(whole(50, 1_900), {
    name: 'NODE_TIMEOUT_MS',
    default: '1500',
    unit: 'ms',
    processes: ['rides', 'ops', 'up'],
    describe: 'How long a read may wait for a node; then it is answered 503.',
  }),
  statementTimeoutMs: setting(whole(100, 600_000), {
    name: 'STATEMENT_TIMEOUT_MS',
    default: '10000',
    unit: 'ms',
    processes: ['worker', 'up'],
    describe: 'How long one write to a node may take before it is tried again.',
  }),
  workers: setting(whole(1, 64), {
    name: 'WORKERS',
    default: '2',
    unit: 'processes',
    processes: ['up'],
    describe: 'How many worker processes `up` starts.',
  }),
  backlogTargetMs: setting(whole(100, 600_000), {
    name: 'BACKLOG_TARGET_MS',
    default: '5000',
    unit: 'ms',
    processes: ['ops', 'workers'],
    describe: 'In how much time the workers should be able to store what waits; with more backlog the pool grows.',
  }),
  poolQuietMs: setting(whole(1_000, 3_600_000), {
    name: 'POOL_QUIET_MS',
    default: '30000',
    unit: 'ms',
    processes: ['workers'],
    describe: 'How long one worker less must have been enough before the pool shrinks by one.',
  }),
  workerRatePerS: setting(whole(1, 1_000_000), {
    name: 'WORKER_RATE_PER_S',
    default: '5000',
    unit: 'scans/s',
    processes: ['ops', 'workers'],
    describe:
      'What one worker is taken to store: by `workers` until it has measured it, by `/ops/autoscale` always. Above `WORKER_SCANS_PER_S`, that counts.',
  }),
  workerScansPerS: setting(whole(0, 1_000_000), {
    name: 'WORKER_SCANS_PER_S',
    default: '0',
    unit: 'scans/s',
    processes: ['ops', 'worker', 'up'],
    describe: 'A brake: what one worker may store, where its nodes serve others too. 0 is none.',
  }),
  stuckMs: setting(whole(6_000, 3_600_000), {
    name: 'STUCK_MS',
    default: '30000',
    unit: 'ms',
    processes: ['worker', 'up'],
    describe:
      'A worker that does nothing for so long while jobs wait is not live, and is replaced; 4 s more than `STATEMENT_TIMEOUT_MS` at least. One that waits for a node keeps trying, and is live.',
  }),
  workerLanes: setting(numbers('lanes with commas between them, like 0,2'), {
    name: 'LANES',
    default: '',
    processes: ['worker'],
    describe: 'The lanes that a worker takes, like `0,2`; all unless set.',
  }),
  workerConcurrency: setting(whole(1, 256), {
    name: 'WORKER_CONCURRENCY',
    default: '16',
    unit: 'jobs',
    processes: ['worker', 'up'],
    describe: 'How many jobs of a lane one worker takes at once, and so may write together.',
  }),
  maxRowsPerWrite: setting(whole(1, 20_000), {
    name: 'MAX_ROWS_PER_WRITE',
    default: '2000',
    unit: 'scans',
    processes: ['worker', 'up'],
    describe: 'How many scans one statement stores at most.',
  }),
  writePaceMs: setting(whole(0, 10_000), {
    name: 'WRITE_PACE_MS',
    default: '50',
    unit: 'ms',
    processes: ['worker', 'up'],
    describe:
      'How long after a write of a lane the next one waits for more scans, unless 400 do already. A lone one never waits.',
  }),
  lockMs: setting(whole(1_000, 600_000), {
    name: 'LOCK_MS',
    default: '10000',
    unit: 'ms',
    processes: ['worker', 'up'],
    describe: 'How long a job stays with a worker that does not renew its lock.',
  }),
  stallCheckMs: setting(whole(500, 300_000), {
    name: 'STALL_CHECK_MS',
    default: '5000',
    unit: 'ms',
    processes: ['worker', 'up'],
    describe: 'How often jobs of dead workers are looked for; less than `LOCK_MS`.',
  }),
} as const;
