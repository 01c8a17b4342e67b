import { MAX_SCANS_PER_BATCH } from '../domain/batch.ts';
import { ALL, HTTP, setting, SPLIT } from './setting.ts';
import { bearer, matching, oneOf, optionalWhole, queueUrl, text, url, whole } from './setting-kinds.ts';
import { READ_SETTINGS } from './read-settings.ts';
import { WORKER_SETTINGS } from './worker-settings.ts';

export type { ProcessName, Setting } from './setting.ts';

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const PREFIX = matching(/^(\/[\w.~-]+)*$/, 'empty or like /Server_war, without a slash at its end');

/** Every setting there is, by the name of its field in `Config`. The README's table is made from it. */
export const SETTINGS = {
  port: setting(whole(0, 65535), {
    name: 'PORT',
    default: '8080',
    processes: HTTP,
    describe: 'Where it listens; 0 takes a free port.',
  }),
  probePort: setting(optionalWhole(0, 65535), {
    name: 'PORT',
    default: '',
    processes: ['worker'],
    describe: 'Where a worker serves `/healthz`, `/readyz` and `/metrics`; not at all unless set.',
  }),
  host: setting(text(1), {
    name: 'HOST',
    default: '127.0.0.1',
    processes: ALL,
    describe: 'The address it listens on; `0.0.0.0` for every IPv4 address.',
  }),
  directoryUrl: setting(url('postgres', 'postgresql'), {
    name: 'DIRECTORY_URL',
    default: undefined,
    processes: SPLIT,
    requiredBy: SPLIT,
    isSecret: true,
    describe: 'The database of the control plane.',
  }),
  directoryPollMs: setting(whole(100, 600_000), {
    name: 'DIRECTORY_POLL_MS',
    default: '2000',
    unit: 'ms',
    processes: ALL,
    describe: 'How often the version of the directory is asked for, besides the notifications it sends.',
  }),
  queueUrl: setting(queueUrl(), {
    name: 'QUEUE_URL',
    default: undefined,
    processes: ['edge', 'ops', 'worker', 'up'],
    requiredBy: ['edge', 'ops', 'worker'],
    isSecret: true,
    describe:
      'The queue: `redis://`, `rediss://` (TLS), `redis+cluster://` or `rediss+cluster://` with hosts and commas between them, or `postgres://`. `up` takes it too, and then starts no queue of its own.',
  }),
  queuePrefix: setting(matching(/^[a-z][a-z0-9_]{0,30}$/, 'small letters, digits and _, at most 31, a letter first'), {
    name: 'QUEUE_PREFIX',
    default: 'liftline',
    processes: ['edge', 'ops', 'worker', 'up'],
    describe: 'Keeps several installations apart on one queue server.',
  }),
  queueDurability: setting(oneOf('strict', 'vouched', 'accept-loss'), {
    name: 'QUEUE_DURABILITY',
    default: 'strict',
    processes: ['edge', 'worker', 'up'],
    describe:
      '`strict` refuses a queue that may forget what it confirmed; `vouched` takes on trust what the server hides, and checks the rest; `accept-loss` warns.',
  }),
  queueReplicas: setting(whole(0, 10), {
    name: 'QUEUE_REPLICAS',
    default: '0',
    unit: 'replicas',
    processes: ['edge', 'ops', 'worker', 'up'],
    describe: 'How many replicas of Redis must have a job before it is confirmed; without them scans are answered 503.',
  }),
  ackDeadlineMs: setting(whole(50, 30_000), {
    name: 'ACK_DEADLINE_MS',
    default: '2000',
    unit: 'ms',
    processes: ['edge', 'ops', 'worker', 'up'],
    describe: 'How long the queue may take to confirm; then the scan is answered 503.',
  }),
  // not less than travel together: a gate would send for ever what never fits
  maxPendingScans: setting(whole(MAX_SCANS_PER_BATCH, 1_000_000), {
    name: 'MAX_PENDING_SCANS',
    default: '20000',
    unit: 'scans',
    processes: ['edge', 'up'],
    describe: 'How many scans may wait for the queue in one edge; more are answered 503.',
  }),
  admitBacklogAgeS: setting(whole(0, 86_400), {
    name: 'ADMIT_BACKLOG_AGE_S',
    default: '900',
    unit: 's',
    processes: ['edge', 'up'],
    describe:
      'A lane whose oldest scan waits for longer takes no more (503), until that is below half. 0 is no bound, here and in the next two.',
  }),
  admitBacklogScans: setting(whole(0, 1_000_000_000), {
    name: 'ADMIT_BACKLOG_SCANS',
    default: '1000000',
    unit: 'scans',
    processes: ['edge', 'up'],
    describe: 'A lane in which more scans wait takes no more (503), until they are below half.',
  }),
  admitMemoryPercent: setting(whole(0, 95), {
    name: 'ADMIT_MEMORY_PERCENT',
    default: '70',
    unit: '%',
    processes: ['edge', 'up'],
    describe:
      'From here on of Redis’ `maxmemory` its lanes take no more (503), until it is 15 % less full; without `maxmemory` there is no such bound.',
  }),
  deviceScansPerS: setting(whole(0, 1_000_000), {
    name: 'DEVICE_SCANS_PER_S',
    default: '500',
    unit: 'scans/s',
    processes: ['edge', 'up'],
    describe:
      'What one device may send to one edge all the time; more is answered 429. 0 is no quota. `up` has 0 unless set: its samples share one key.',
  }),
  deviceBurstScans: setting(whole(1_000, 10_000_000), {
    name: 'DEVICE_BURST_SCANS',
    default: '5000',
    unit: 'scans',
    processes: ['edge', 'up'],
    describe: 'What a device may send at once after a pause; a full batch at least.',
  }),
  skiDataApi: setting(oneOf('keys', 'open'), {
    name: 'SKI_DATA_API',
    default: 'keys',
    processes: HTTP,
    describe: 'Whether the SkiDataAPI routes need keys, or are open to everyone. `up` has `open` unless set.',
  }),
  tokenSecret: setting(text(32), {
    name: 'TOKEN_SECRET',
    default: undefined,
    processes: ['edge', 'rides', 'up'],
    requiredBy: ['rides'],
    unless: 'TOKEN_JWKS_URL',
    isSecret: true,
    describe: 'Signs and checks the skiers’ tokens; 32 characters or more. `up` makes its own unless set.',
  }),
  adminKey: setting(bearer(20), {
    name: 'ADMIN_KEY',
    default: undefined,
    processes: ['edge', 'rides', 'ops', 'up'],
    requiredBy: ['rides', 'ops'],
    isSecret: true,
    describe:
      'The operators’ key; 20 characters or more that a bearer can carry: letters, digits and `-._~+/`, `=` at its end. `up` makes its own unless set.',
  }),
  pathPrefix: setting(PREFIX, {
    name: 'PATH_PREFIX',
    default: '',
    processes: HTTP,
    describe: 'A path that clients put before every route, e.g. `/Server_war`.',
  }),
  ...READ_SETTINGS,
  ...WORKER_SETTINGS,
  drainMs: setting(whole(100, 600_000), {
    name: 'DRAIN_MS',
    default: '8000',
    unit: 'ms',
    processes: ALL,
    describe: 'How long a process may take to finish what it has when it stops. `up` gives its workers 4 s at most.',
  }),
  leaveMs: setting(whole(0, 60_000), {
    name: 'LEAVE_MS',
    default: '2000',
    unit: 'ms',
    processes: ['edge', 'rides', 'ops'],
    describe:
      'How long a process that was told to stop still serves, not ready any more, so that load balancers leave it first; a part of `DRAIN_MS`.',
  }),
  ledgerDays: setting(whole(1, 3_650), {
    name: 'LEDGER_DAYS',
    default: '1',
    unit: 'days',
    processes: ['worker', 'up'],
    describe:
      'How long the row of each job is kept before it is folded into the totals; every look at the sums reads those rows.',
  }),
  home: setting(text(1), {
    name: 'LIFTLINE_HOME',
    default: '.liftline',
    processes: ['up'],
    describe: 'The folder of `up`: its data, keys and state. Other commands look there for a running `up`.',
  }),
  logLevel: setting(oneOf(...LEVELS), {
    name: 'LOG_LEVEL',
    default: 'info',
    processes: ALL,
    describe: `One of ${LEVELS.join(', ')}. Logs are JSON lines on standard error. \`up\` has \`warn\` unless set.`,
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
