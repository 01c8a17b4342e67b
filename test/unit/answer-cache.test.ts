import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Registry } from 'prom-client';
import { Problem } from '../../src/domain/problem.ts';
import { AnswerCache, type Question } from '../../src/rides/cache/answer-cache.ts';
import { contentOf } from '../../src/rides/cache/kept-answer.ts';
import { createCacheMetrics } from '../../src/rides/cache/metrics.ts';

/** What is asked about: `state` is what a read finds, and is read as. */
const world = { state: 1, asOf: 1_000, directoryVersion: 1, isKnown: true };
const reads: PromiseWithResolvers<void>[] = [];
let cache: AnswerCache;
let registry: Registry;

function ask(o: Partial<Question<number>> = {}): Question<number> {
  return {
    key: 'a',
    kind: 'skier',
    validity: { isCurrent: (state) => world.isKnown && state === world.state, asOf: () => world.asOf },
    readAs: (value) => (typeof value === 'number' ? value : undefined),
    async load() {
      const { state, asOf } = world;
      const answered = Promise.withResolvers<void>();
      reads.push(answered);
      await answered.promise;
      return { read: state, asOf, content: { state } };
    },
    ...o,
  };
}

/** @returns the answer to the question, from a read that is answered at once */
async function read(question = ask()): Promise<{ content: unknown; asOf: number | null; isStale: boolean }> {
  const filling = cache.fill(question);
  for (const answered of reads.splice(0)) answered.resolve();
  const { kept, asOf, isStale } = await filling;
  return { content: contentOf(kept), asOf, isStale };
}

const directoryVersion = () => world.directoryVersion;
const broken = () => Promise.reject(new Error('a mistake'));
const away = () => Promise.reject(new Problem('node_unavailable', 'node alpha does not answer'));

beforeEach(() => {
  Object.assign(world, { state: 1, asOf: 1_000, directoryVersion: 1, isKnown: true });
  reads.length = 0;
  cache = newCache(1_000_000);
});
afterEach(() => vi.useRealTimers());

function newCache(maxBytes: number): AnswerCache {
  registry = new Registry();
  return new AnswerCache({ maxBytes, directoryVersion, metrics: createCacheMetrics(registry) });
}

describe('what is kept', () => {
  test('is given until it is no longer what a read would find, with the newer asOf', async () => {
    await read();
    world.asOf = 2_000;
    expect(cache.current('a')).toMatchObject({ asOf: 2_000, isStale: false });
    world.state = 2;
    expect(cache.current('a')).toBeUndefined();
    expect(await read()).toEqual({ content: { state: 2 }, asOf: 2_000, isStale: false });
  });

  test('is not given when a change came while it was read', async () => {
    const filling = cache.fill(ask());
    world.state = 2;
    reads[0]?.resolve();
    await filling;
    expect(cache.current('a')).toBeUndefined();
  });

  test('is not given when nobody knows, nor with the names of an older directory', async () => {
    await read();
    world.isKnown = false;
    expect(cache.current('a')).toBeUndefined();
    world.isKnown = true;
    world.directoryVersion = 2;
    expect(cache.current('a')).toBeUndefined();
  });

  test('an answer that is newer than the last look at the lanes keeps its own asOf', async () => {
    world.asOf = 5_000;
    await read();
    world.asOf = 4_000;
    expect(cache.current('a')?.asOf).toBe(5_000);
  });

  test('takes no more memory than it may', async () => {
    cache = newCache(10_000);
    for (let i = 0; i < 50; i += 1) await read(ask({ key: `key ${i}` }));
    const bytes = /^liftline_cache_bytes (\d+)$/m.exec(await registry.metrics())?.[1];
    expect(Number(bytes)).toBeGreaterThan(5_000);
    expect(Number(bytes)).toBeLessThanOrEqual(10_000);
    expect(cache.current('key 49')).toBeDefined();
    expect(cache.current('key 0')).toBeUndefined();
  });

  test('may lag where the question allows it, with the asOf that it had', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { validity } = ask();
    await read(ask({ validity: { ...validity, mayLagMs: 250 } }));
    Object.assign(world, { state: 2, asOf: 2_000 });
    vi.advanceTimersByTime(249);
    expect(cache.current('a')).toMatchObject({ asOf: 1_000 });
    vi.advanceTimersByTime(1);
    expect(cache.current('a')).toBeUndefined();
  });
});

describe('a read', () => {
  test('is made once for all who ask at once, and again for who asks when it has taken long', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const first = Array.from({ length: 100 }, () => cache.fill(ask()));
    expect(reads).toHaveLength(1);
    vi.advanceTimersByTime(250);
    world.state = 2;
    const later = cache.fill(ask());
    expect(reads).toHaveLength(2);
    for (const answered of reads) answered.resolve();
    const contents = (await Promise.all([...first, later])).map(({ kept }) => contentOf(kept));
    expect(contents).toEqual([...Array.from({ length: 100 }, () => ({ state: 1 })), { state: 2 }]);
  });

  test('that must be fresh is made, and kept for the next', async () => {
    await read();
    const fresh = cache.fill(ask(), { isFresh: true });
    expect(reads).toHaveLength(1);
    world.state = 2;
    reads[0]?.resolve();
    expect(contentOf((await fresh).kept)).toEqual({ state: 1 });
  });

  test('that fails for the node’s sake is answered by what was kept, marked; any other failure is one', async () => {
    await read();
    world.isKnown = false;
    expect(await cache.fill(ask({ load: away }))).toMatchObject({ asOf: 1_000, isStale: true });
    await expect(cache.fill(ask({ key: 'b', load: away }))).rejects.toThrow('node alpha');
    await expect(cache.fill(ask({ load: broken }))).rejects.toThrow('a mistake');
  });

  test('is made for each who asks where nothing is kept', async () => {
    cache = newCache(0);
    const both = [cache.fill(ask()), cache.fill(ask())];
    expect(reads).toHaveLength(2);
    for (const answered of reads) answered.resolve();
    await Promise.all(both);
    expect(cache.current('a')).toBeUndefined();
  });
});
