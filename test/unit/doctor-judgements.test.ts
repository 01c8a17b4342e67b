import { describe, expect, test } from 'vitest';
import { judgeBooks } from '../../src/cli/doctor-books.ts';
import { judgeClock, judgeConnections } from '../../src/cli/doctor-database.ts';
import { type Finding, fail, ok, onceAServer, showFindings, warn } from '../../src/cli/doctor-finding.ts';
import { checkNode, checkSettings, judgeDisk } from '../../src/cli/doctor-local.ts';
import { checkPlacement } from '../../src/cli/doctor-nodes.ts';
import { judgeBacklog, judgeDurability, judgeMemory } from '../../src/cli/doctor-queue.ts';
import { laneBooks } from '../../src/ops/conservation.ts';
import type { LaneBacklog } from '../../src/queue/backlog.ts';

const statuses = (findings: Finding[]) => findings.map(({ check, status }) => `${check}: ${status}`);
const GB = 2 ** 30;

const lane = (fields: Partial<LaneBacklog> = {}): LaneBacklog => ({
  lane: 0,
  takenAt: 1_000_000,
  waitingJobs: 0,
  activeJobs: 0,
  delayedJobs: 0,
  failedJobs: 0,
  scans: 0,
  oldestAcceptedAt: null,
  exact: true,
  jobsEnqueued: 0,
  ...fields,
});

describe('this machine', () => {
  test.each([
    ['22.18.0', 'ok'],
    ['24.1.0', 'ok'],
    ['22.17.9', 'fail'],
    ['20.20.2', 'fail'],
  ])('Node %s: %s', (version, status) => {
    expect(checkNode(version).status).toBe(status);
  });

  test('settings: every one that is wrong is told, what is not set here is no error', () => {
    const good = { DIRECTORY_URL: 'postgres://a/b', QUEUE_URL: 'redis://c', WORKER_CONCURRENCY: '4' };
    const [finding, ...more] = checkSettings(good);
    expect(finding).toMatchObject({ status: 'ok', detail: expect.stringContaining('TOKEN_SECRET') as string });
    expect(more).toEqual([]);
    const wrong = checkSettings({ ...good, PORT: 'eighty', WORKER_CONCURRENCY: '0', LOG_LEVEL: 'loud' });
    expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 'fail'));
    for (const name of ['PORT', 'WORKER_CONCURRENCY', 'LOG_LEVEL'])
      expect(wrong.filter(({ detail }) => detail.startsWith(name))).toHaveLength(1);
    expect(statuses(checkSettings({ ...good, STALL_CHECK_MS: '60000' }))).toEqual(['settings: fail']);
  });

  test.each([
    [50, 'ok'],
    [9, 'warn'],
    [2, 'fail'],
  ])('a disk with %i %% left: %s', (percent, status) => {
    expect(judgeDisk('disk', { freeBytes: percent * GB, totalBytes: 100 * GB }).status).toBe(status);
  });
});

describe('servers', () => {
  test.each([
    [20, 5, 'ok'],
    [-1_500, 5, 'warn'],
    [1_500, 1_000, 'ok'], // it may be the round trip
    [-90_000, 5, 'fail'],
  ])('a clock that is %i ms off, give or take %i: %s', (skewMs, errorMs, status) => {
    expect(judgeClock('clock', { skewMs, errorMs }).status).toBe(status);
  });

  test.each([
    [500, 'ok'],
    [-1_500, 'warn'],
    [4_000, 'fail'],
  ])(
    'the clock of a queue on Postgres, %i ms off where locks last 10 s, as its workers judge it: %s',
    (skewMs, status) => {
      expect(judgeClock('clock', { skewMs, errorMs: 5 }, 10_000).status).toBe(status);
    },
  );

  test.each([
    [60, 'ok'],
    [15, 'warn'],
    [3, 'fail'],
  ])('%i of 100 connections free: %s', (freeConnections, status) => {
    expect(judgeConnections('connections', { maxConnections: 100, freeConnections }, 4).status).toBe(status);
  });
});

describe('shards', () => {
  const nodes = new Map([1, 2].map((nodeId) => [nodeId, { nodeId, name: `node-${nodeId}`, url: '' }]));
  const nodeOfShard = [1, 2, 1, 2];
  const check = (attached: [number, number[]][]) => checkPlacement({ nodes, nodeOfShard }, new Map(attached));

  test('each once, where the map says: ok; also as far as nodes answer', () => {
    expect(
      statuses(
        check([
          [1, [0, 2]],
          [2, [1, 3]],
        ]),
      ),
    ).toEqual(['shards: ok']);
    expect(check([[1, [0, 2]]])[0]?.detail).toContain('do not answer');
    expect(check([])).toEqual([]);
  });

  test.each<[string, [number, number[]][], RegExp]>([
    [
      'missing',
      [
        [1, [0]],
        [2, [1, 3]],
      ],
      /node-1 lacks shard 2/,
    ],
    [
      'doubled',
      [
        [1, [0, 2]],
        [2, [1, 2, 3]],
      ],
      /node-2 serves shard 2, which is not its own/,
    ],
    [
      'unknown',
      [
        [1, [0, 2, 9]],
        [2, [1, 3]],
      ],
      /node-1 serves shard 9/,
    ],
  ])('one that is %s: fail', (_, attached, detail) => {
    const findings = check(attached);
    expect(statuses(findings)).toEqual(['shards: fail']);
    expect(findings[0]?.detail).toMatch(detail);
  });
});

describe('the queue', () => {
  test('failed jobs and old ones are warnings', () => {
    expect(statuses(judgeBacklog([lane()]))).toEqual(['queue: ok', 'failed jobs: ok', 'backlog: ok']);
    const late = lane({ failedJobs: 2, scans: 9, oldestAcceptedAt: 1_000_000 - 61_000 });
    expect(statuses(judgeBacklog([lane(), late]))).toEqual(['queue: ok', 'failed jobs: warn', 'backlog: warn']);
  });

  test('what may lose acked scans fails, unless it was accepted', () => {
    expect(statuses(judgeDurability({ problems: [], warnings: [] }))).toEqual(['durability: ok']);
    expect(statuses(judgeDurability({ problems: ['no AOF'], warnings: [] }))).toEqual(['durability: fail']);
    expect(statuses(judgeDurability({ problems: [], warnings: ['no AOF'] }))).toEqual(['durability: warn']);
  });

  test.each([
    [[10, 20], 70, 'ok'],
    [[10, 55], 70, 'warn'],
    [[71, 20], 70, 'fail'],
    [[undefined, undefined], 70, 'warn'],
    [[10, 55], 50, 'fail'], // as the edges are told
    [[10, 75], 0, 'warn'],
    [[10, 100], 0, 'fail'],
  ])('memory %s where edges refuse from %i %% on: %s', (percents, refusedFrom, status) => {
    expect(judgeMemory(percents, refusedFrom).status).toBe(status);
  });
});

const nodesWith = (deadLetters: number) => [
  { nodeId: 1, name: 'a', ledger: { lanes: [], deadLetters } },
  { nodeId: 2, name: 'b', ledger: undefined },
];

describe('the sums', () => {
  const stored = { lane: 0, jobs: 5, persisted: 50, duplicate: 0, dead: 0 };

  test('add up', () => {
    const full = lane({ jobsEnqueued: 5 });
    const findings = judgeBooks({ lanes: [full], nodes: nodesWith(0), books: [laneBooks(full, stored, full)] });
    expect(statuses(findings)).toEqual(['sums: ok', 'dead letters: ok']);
  });

  test('do not add up: a job that is done and was not stored', () => {
    const full = lane({ jobsEnqueued: 6 });
    const findings = judgeBooks({ lanes: [full], nodes: nodesWith(3), books: [laneBooks(full, stored, full)] });
    expect(statuses(findings)).toEqual(['sums: fail', 'dead letters: warn']);
  });

  test('can not be added up', () => {
    const deep = lane({ waitingJobs: 20_000, jobsEnqueued: 20_005 });
    const books = [laneBooks(deep, stored, deep)];
    expect(statuses(judgeBooks({ lanes: [deep], nodes: nodesWith(0), books }))[0]).toBe('sums: warn');
    expect(statuses(judgeBooks({ lanes: undefined, nodes: nodesWith(0), books: undefined }))[0]).toBe('sums: warn');
  });
});

test('one line a check, and what to do under each that is not well', () => {
  const shown = showFindings([
    { check: 'Node', status: 'ok', detail: '24' },
    { check: 'queue', status: 'fail', detail: 'away', fix: 'start it' },
  ]);
  expect(shown).toBe('ok    Node   24\nfail  queue  away\n      → start it\n');
});

test('a server that is several things at once is told once, by the worst; everything else is told as it is', () => {
  const worse = warn('clock of a:5432', 'late', 'set it');
  const twoProblems = [fail('settings', 'PORT', 'set it'), fail('settings', 'HOST', 'set it')];
  const findings = [ok('clock of a:5432', 'well'), ok('clock of b:5432', 'well'), worse, ...twoProblems];
  expect(onceAServer([...findings, ok('clock of a:5432', 'well')])).toEqual(findings.slice(1));
});
