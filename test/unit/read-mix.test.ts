import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgeWatch } from '../../loadtest/bench/age-watch.ts';
import { powerLaw } from '../../loadtest/bench/power-law.ts';
import { seededRandom } from '../../src/simulator/random.ts';

const picks = (seed: string, times: number) => {
  const pick = powerLaw(100, seededRandom(seed));
  return Array.from({ length: times }, pick);
};

describe('the power law', () => {
  test('picks the k-th about 1/k as often as the first, and everyone at times', () => {
    const counts = new Map<number, number>();
    for (const picked of picks('a', 100_000)) counts.set(picked, (counts.get(picked) ?? 0) + 1);
    const byPlace = [...counts.values()].toSorted((a, b) => b - a);
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    for (const place of [2, 4, 10]) {
      expect((byPlace[0] as number) / (byPlace[place - 1] as number) / place).toBeCloseTo(1, 0);
    }
  });

  test('is the same for the same seed, and another for another', () => {
    expect(picks('a', 50)).toEqual(picks('a', 50));
    expect(picks('a', 50)).not.toEqual(picks('b', 50));
  });
});

describe('the watch on how old answers are', () => {
  let server: Server;
  let status = 'queued';
  let watch: AgeWatch;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    status = 'queued';
    server = createServer((_request, response) => response.end(`{"status":"${status}"}`));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    watch = new AgeWatch({ ridesUrl: `http://127.0.0.1:${port}`, deviceKey: 'k' });
  });
  afterEach(async () => {
    vi.useRealTimers();
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });

  test('an answer that lacks a ride a second after it was seen to be persisted is too old, unless it says so', async () => {
    const due = vi.fn<() => void>();
    watch.follow({ skierId: 7, eventId: 'e-1', receipt: 'r' }, due);
    status = 'persisted';
    await watch.settled();
    expect(due).toHaveBeenCalledOnce();
    const [soon, late] = [performance.now() + 999, performance.now() + 1_001];
    watch.judge(7, soon, '{"rides":[]}');
    watch.judge(8, late, '{"rides":[]}');
    expect(watch.findings).toEqual({ persisted: 1, checked: 0, tooOld: 0, markedStale: 0 });
    watch.judge(7, late, '{"rides":["e-1"]}');
    watch.judge(7, late, '{"stale":true,"rides":[]}');
    watch.judge(7, late, '{"rides":[]}');
    expect(watch.findings).toEqual({ persisted: 1, checked: 3, tooOld: 1, markedStale: 1 });
  });
});
