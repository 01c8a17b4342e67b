import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnswerCache, type Question } from '../../src/rides/cache/answer-cache.ts';
import { contentOf } from '../../src/rides/cache/kept-answer.ts';
import { createCacheMetrics } from '../../src/rides/cache/metrics.ts';
import { skierQuestion } from '../../src/rides/cache/skier-question.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { ChangeFeed } from '../../src/shards/change-feed.ts';
import { createHistoryReader, type HistoryReader } from '../../src/shards/history-reader.ts';
import type { Position } from '../../src/shards/read-at.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { prepareNodes, quiet, scanNo, skierOn, TestMap, testLifecycle } from '../support/nodes.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

/** What was committed so long before a question is in its answer. */
const MAX_AGE_MS = 1_000;
const SKIERS = [0, 1, 2, 3].map((shard) => skierOn(shard));
const WRITERS = 4;
const WRITES_EACH = 40;

const lifecycle = testLifecycle();
let database: TestDatabase;
let map: TestMap;
let history: HistoryReader;
let feed: ChangeFeed;
let number = 0;

beforeAll(async () => {
  database = await freshDatabase();
  map = new TestMap([database.url]);
  await prepareNodes(map.snapshot());
  const nodes = () => openReadNodes({ poolSize: 2, timeoutMs: 5_000, logger: quiet, lifecycle });
  history = createHistoryReader({ directory: map, nodes: nodes() });
  feed = new ChangeFeed({ directory: map, nodes: nodes(), logger: quiet, lifecycle });
});
afterAll(async () => {
  await lifecycle.stop(10_000);
  await database.drop();
});

interface Committed {
  skierId: number;
  eventId: string;
  /** when it is certain that it was, by `performance.now` */
  atMs: number;
}

/** Stores rides in transactions that stay open for a while, so that they commit in another order than they began in. */
async function writeAll(seed: string, committed: Committed[]): Promise<void> {
  const write = async (writer: number) => {
    const random = seededRandom(`${seed} ${writer}`);
    const connection = new Pool({ connectionString: database.url, max: 1 });
    for (let i = 0; i < WRITES_EACH; i += 1) {
      const skierId = random.pick(SKIERS);
      const scan = scanNo((number += 1), { skierId, resortId: 1, day: 1, date: '2026-01-10' });
      const parts = splitByNode({ batchId: randomUUID(), acceptedAt: 0, scans: [scan] }, 'job', map.snapshot());
      await connection.query('BEGIN');
      for (const part of parts.values()) await storeParts(connection, 0, [part]);
      await delay(random.between(0, 60));
      await connection.query('COMMIT');
      committed.push({ skierId, eventId: scan.eventId, atMs: performance.now() });
    }
    await connection.end();
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}

/** Reads all the while, and a moment longer. @returns how many answers lacked what they had to hold */
async function readAll(cache: AnswerCache, questionOf: (skierId: number) => Question<Position>, seed: string) {
  const committed: Committed[] = [];
  const seen = { kept: 0, read: 0, tooOld: 0 };
  const run = { endsAt: Number.POSITIVE_INFINITY };
  const writing = writeAll(seed, committed).then(() => void (run.endsAt = performance.now() + 2 * MAX_AGE_MS));
  const random = seededRandom(seed);
  while (performance.now() < run.endsAt) {
    const question = questionOf(random.pick(SKIERS));
    const askedAt = performance.now();
    const known = cache.current(question.key);
    seen[known ? 'kept' : 'read'] += 1;
    const text = JSON.stringify(contentOf((known ?? (await cache.fill(question))).kept));
    const due = committed.filter(
      ({ skierId, atMs }) => question.key.includes(`${skierId} `) && askedAt - atMs > MAX_AGE_MS,
    );
    if (due.some(({ eventId }) => !text.includes(eventId))) seen.tooOld += 1;
    await delay(1);
  }
  await writing;
  return seen;
}

function newCache(): AnswerCache {
  const metrics = createCacheMetrics(new Registry());
  return new AnswerCache({ maxBytes: 10_000_000, directoryVersion: () => map.snapshot().version, metrics });
}

function ridesOf(skierId: number): Question<Position> {
  return skierQuestion(feed, { skierId, what: 'rides' }, async () => {
    const { found, at } = await history.rides(skierId, { limit: 1_000 });
    return { at, content: { rides: found.map(({ eventId }) => eventId) } };
  });
}

function forThreeSeconds(skierId: number): Question<Position> {
  return { ...ridesOf(skierId), validity: { isCurrent: () => false, asOf: () => null, mayLagMs: 3_000 } };
}

describe('while many write, in transactions that commit in any order', { timeout: 60_000 }, () => {
  test.each(['a', 'b', 'c'])('no answer lacks what was committed a second ago (seed %s)', async (seed) => {
    await until('the feed has begun', async () => {
      const { at } = await history.rides(SKIERS[0] as number, { limit: 1 });
      return feed.isCurrent(SKIERS[0] as number, at.position);
    });
    const { kept, read, tooOld } = await readAll(newCache(), ridesOf, seed);
    expect(tooOld).toBe(0);
    expect(kept).toBeGreaterThan(100);
    expect(read).toBeGreaterThan(20);
  });

  test('answers that were kept for a time, whatever changes, are caught', async () => {
    expect((await readAll(newCache(), forThreeSeconds, 'd')).tooOld).toBeGreaterThan(0);
  });
});
