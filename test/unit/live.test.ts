import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { Live } from '../../src/rides/live/live.ts';
import type { News } from '../../src/shards/change-feed.ts';
import { parseSnapshot, type PgSnapshot } from '../../src/shards/pg-snapshot.ts';
import { quiet } from '../support/nodes.ts';

const SKIER = 1;
const NODE = 1;
const MAX_LISTENERS = 10;
const directory = sampleSnapshot({
  shardCount: 8,
  laneCount: 2,
  nodes: [{ name: 'a', url: 'postgres://a' }],
  devices: [],
});

/** Keeps what is written to it. */
class RecordedResponse extends ServerResponse {
  text = '';

  constructor() {
    super(new IncomingMessage(new Socket()));
  }

  override write(chunk: unknown): boolean {
    this.text += String(chunk);
    return true;
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string') this.text += chunk;
    this.emit('close');
    return this;
  }

  get events(): string[] {
    return [...this.text.matchAll(/^event: (\w+)|^:$/gm)].map(([all, name]) => name ?? all);
  }
}

describe('listeners that are looked after', () => {
  let lifecycle: Lifecycle;
  const ended: string[] = [];
  const place = { nodeId: NODE, shard: 0, epoch: 1 };
  let hear: (news: News) => void;
  let seen: News['seen'];
  let live: Live;

  /** What a poll saw: when no write has come, it is told at once. */
  function poll(asOf: number | null, changed: News['changed'] = []): void {
    const text = '9:9:';
    seen = { identity: 'a', text, snapshot: parseSnapshot(text) as PgSnapshot, asOf: new Map([[0, asOf]]) };
    hear({ nodeId: NODE, seen, changed });
  }

  beforeEach(() => {
    vi.useFakeTimers();
    lifecycle = new Lifecycle({ logger: quiet });
    ended.length = 0;
    place.epoch = 1;
    live = new Live({
      directory: { snapshot: () => directory },
      changes: {
        onNews: (listener) => (hear = listener),
        stateFor: () => ({ ...place, seen }),
        hasSeen: () => true,
        asOf: () => seen.asOf.get(0) ?? null,
      },
      history: { newRides: () => Promise.reject(new Error('nothing is missed')) },
      nodes: { of: () => expect.unreachable() },
      maxListeners: MAX_LISTENERS,
      metrics: { told: () => {}, ended: (reason) => ended.push(reason), watch: () => {} },
      logger: quiet,
      lifecycle,
    });
    poll(null, 'all');
  });
  afterEach(async () => {
    await lifecycle.stop(1_000);
    vi.useRealTimers();
  });

  async function listen(): Promise<RecordedResponse> {
    const response = new RecordedResponse();
    await live.open(SKIER, undefined, response, () => {});
    return response;
  }

  test('hear nothing but heartbeats while nothing moves, one each 15 s or a little less', async () => {
    const response = await listen();
    vi.advanceTimersByTime(60_000);
    const beats = response.events.slice(1);
    expect(new Set(beats)).toEqual(new Set([':']));
    expect(beats.length).toBeGreaterThanOrEqual(4);
    expect(beats.length).toBeLessThanOrEqual(6);
  });

  test('hear of a newer asOf each 5 s, if it moved by a second', async () => {
    const response = await listen();
    for (let second = 1; second <= 20; second += 1) {
      poll(second * 1_000);
      vi.advanceTimersByTime(1_000);
    }
    const told = [...response.text.matchAll(/event: asOf\nid: \w+\ndata: {"asOf":"([^"]+)"}/g)].map(([, at]) => at);
    expect(told).toHaveLength(4);
    expect(told).toEqual([...new Set(told)]);
    poll(20_500);
    vi.advanceTimersByTime(5_000);
    const count = response.events.length;
    poll(20_900);
    vi.advanceTimersByTime(5_000);
    expect(response.events).toHaveLength(count);
  });

  test('are sent away after half an hour, to show their token again', async () => {
    const response = await listen();
    vi.advanceTimersByTime(29 * 60_000);
    expect(response.events).not.toContain('bye');
    vi.advanceTimersByTime(2 * 60_000);
    expect(response.events.at(-1)).toBe('bye');
    expect(ended).toEqual(['bye']);
  });

  test('whose shard has moved, or whose node has become another one, are sent to find out what they have missed', async () => {
    const moved = await listen();
    place.epoch = 2;
    vi.advanceTimersByTime(6_000);
    expect(moved.events.at(-1)).toBe('bye');
    const lost = await listen();
    poll(null, 'all');
    expect(lost.events.at(-1)).toBe('bye');
    expect(ended).toEqual(['lost', 'lost']);
  });

  test('who has left while the token was checked takes no place', async () => {
    let begun = 0;
    for (let i = 0; i < MAX_LISTENERS; i += 1) {
      const gone = new RecordedResponse();
      gone.destroy();
      await live.open(SKIER, undefined, gone, () => (begun += 1));
    }
    expect(begun).toBe(0);
    expect((await listen()).events).toEqual(['hello']);
  });

  test('all go when the process does, and no more are taken', async () => {
    const both = [await listen(), await listen()];
    live.endAll();
    expect(both.map(({ events }) => events.at(-1))).toEqual(['bye', 'bye']);
    await expect(listen()).rejects.toMatchObject({ code: 'starting' });
  });
});
