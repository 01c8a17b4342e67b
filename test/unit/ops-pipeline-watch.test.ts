import { beforeEach, describe, expect, test, vi } from 'vitest';
import { staticDirectory } from '../../src/directory/follower.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { Problem } from '../../src/domain/problem.ts';
import { PipelineWatch } from '../../src/ops/pages/pipeline-view.ts';
import type { PipelineState } from '../../src/ops/pipeline.ts';
import { laneBooks } from '../../src/ops/conservation.ts';
import { toBacklog } from '../../src/queue/backlog.ts';

const snapshot = sampleSnapshot({
  shardCount: 1,
  laneCount: 1,
  nodes: [{ name: 'node-1', url: 'postgres://127.0.0.1:1/one' }],
  devices: [],
});
/** A page asks again a second after each answer, and an answer takes a moment. */
const BETWEEN_LOOKS_MS = 1_030;

/** A pipeline in which every scan is stored at once, and that is looked at like a page does. */
function onePipeline() {
  const world = { scansPerS: 0, scans: 0, isAway: false, isStarting: false, looks: 0 };
  const watch = new PipelineWatch({
    pipeline: {
      read: () => {
        world.looks += 1;
        if (world.isStarting) return Promise.reject(new Problem('starting', 'waiting for the directory'));
        return Promise.resolve(stateOf(world));
      },
    },
    follower: staticDirectory(snapshot),
    lanesAsOf: () => Promise.resolve(new Map()),
    countProcesses: () => Promise.resolve(new Map([['worker', 1]])),
  });
  const pass = (ms: number) => {
    world.scans += (world.scansPerS * ms) / 1_000;
    vi.advanceTimersByTime(ms);
  };
  const rates = async () => {
    const { lanes, nodes } = await watch.view();
    return [lanes[0]?.takenPerS, lanes[0]?.storedPerS, nodes[0]?.storedPerS].map((rate) => rate && Math.round(rate));
  };
  /** @returns the rates that the last of some looks shows: a lane's intake, what of it is stored, what a node stores */
  const lookFor = async (ms: number) => {
    let last = await rates();
    for (let passed = 0; passed < ms; passed += BETWEEN_LOOKS_MS) {
      pass(BETWEEN_LOOKS_MS);
      last = await rates();
    }
    return last;
  };
  return { world, watch, pass, rates, lookFor };
}

function stateOf({ scans, isAway }: { scans: number; isAway: boolean }): PipelineState {
  const ledger = { lane: 0, jobs: scans, persisted: scans, duplicate: 0, dead: 0 };
  const none = { waiting: 0, active: 0, delayed: 0, failed: 0, read: 0, scansRead: 0, oldest: null, takenAt: 0 };
  const backlog = toBacklog(0, { ...none, enqueued: scans });
  return {
    lanes: [backlog],
    nodes: [{ nodeId: 1, name: 'node-1', ledger: isAway ? undefined : { lanes: [ledger], deadLetters: 0 } }],
    books: isAway ? undefined : [laneBooks(backlog, ledger, backlog)],
  };
}

const NONE = [undefined, undefined, undefined];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  return () => vi.useRealTimers();
});

describe('scans per second', () => {
  test('are those of the last seconds, however long a page has been open', async () => {
    const { world, pass, rates, lookFor } = onePipeline();
    world.scansPerS = 1_000;
    expect(await lookFor(60_000)).toEqual([1_000, 1_000, 1_000]);
    world.scansPerS = 0;
    pass(BETWEEN_LOOKS_MS);
    expect(await rates()).toEqual([500, 500, 500]);
    pass(BETWEEN_LOOKS_MS);
    expect(await rates()).toEqual([0, 0, 0]);
  });

  test('are known again with the second look that sees a node which was away, from the first one on too', async () => {
    const { world, pass, rates, lookFor } = onePipeline();
    world.isAway = true;
    expect(await lookFor(5_000)).toEqual(NONE);
    Object.assign(world, { isAway: false, scansPerS: 200 });
    pass(BETWEEN_LOOKS_MS);
    expect(await rates()).toEqual(NONE);
    pass(BETWEEN_LOOKS_MS);
    expect(await rates()).toEqual([200, 200, 200]);
  });

  test('go on from before, after a look that saw nothing', async () => {
    const { world, pass, rates, lookFor } = onePipeline();
    world.scansPerS = 300;
    await lookFor(5_000);
    for (const isAway of [true, false, true, false]) {
      world.isAway = isAway;
      pass(2_000);
      expect(await rates()).toEqual(isAway ? NONE : [300, 300, 300]);
    }
  });

  test('are not the average since somebody looked the last time', async () => {
    const { world, pass, rates, lookFor } = onePipeline();
    world.scansPerS = 1_000;
    await lookFor(5_000);
    pass(3_600_000);
    expect(await rates()).toEqual(NONE);
  });
});

describe('all who watch', () => {
  test('share a look, while it runs and for a second', async () => {
    const { world, watch, pass } = onePipeline();
    const views = await Promise.all([watch.view(), watch.view()]);
    pass(999);
    expect(new Set([...views, await watch.view()]).size).toBe(1);
    expect(world.looks).toBe(1);
    pass(1);
    await watch.view();
    expect(world.looks).toBe(2);
  });

  test('see the pipeline again after a look that failed', async () => {
    const { world, watch } = onePipeline();
    world.isStarting = true;
    await expect(watch.view()).rejects.toMatchObject({ code: 'starting' });
    world.isStarting = false;
    expect(await watch.view()).toMatchObject({ isQueueUp: true });
  });
});
