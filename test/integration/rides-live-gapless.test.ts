import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EventStream, openEventStream } from '../support/event-stream.ts';
import { type ReadSide, startReadSide, type TestScan } from '../support/read-side.ts';
import { until } from '../support/until.ts';

const WRITERS = 4;
const WRITES = 40;
const SKIERS = [95_001, 95_002, 95_003];

const idsIn = ({ events }: EventStream) =>
  events.filter(({ event }) => event === 'ride').map(({ data }) => (data as { eventId: string }).eventId);

/** Two processes on the same nodes, and skiers whose rides are stored by writers that overlap. */
describe('a listener that is cut off again and again, and comes back to one process or the other', () => {
  let sides: ReadSide[];
  beforeAll(async () => {
    const side = await startReadSide({ listen: true });
    sides = [await side.again(), side];
  });
  afterAll(async () => {
    for (const side of sides ?? []) await side.stop();
  });

  /** Rides of any time, half of them late; some writes are of several skiers. */
  async function writeAll(): Promise<Map<number, number>> {
    const counts = new Map(SKIERS.map((skierId) => [skierId, 0]));
    const writer = async (n: number) => {
      for (let i = 0; i < WRITES; i += 1) {
        const scans: TestScan[] = SKIERS.filter((_, s) => s === n % 3 || (i + s) % 4 === 0).map((skierId) => ({
          skierId,
          liftId: 1 + n,
          at: new Date(Date.UTC(2025, 11, i % 2 ? 20 : 10, 8, n) + i * 997).toISOString(),
        }));
        await sides[0]?.store(scans);
        for (const { skierId } of scans) counts.set(skierId, (counts.get(skierId) ?? 0) + 1);
        await delay((i * 7 + n) % 11);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, n) => writer(n)));
    return counts;
  }

  /** @param o.resumes comes back to where it was; else to now, as the control does */
  async function listenOn(skierId: number, o: { resumes: boolean; isOver: () => boolean; waitMs: () => number }) {
    const told: string[] = [];
    for (let [lastId, round]: [string | undefined, number] = [undefined, 0]; ; round += 1) {
      const side = sides[round % 2] as ReadSide;
      const headers: Record<string, string> = { authorization: `Bearer ${await side.token(skierId)}` };
      if (lastId !== undefined) headers['last-event-id'] = lastId;
      const isLast = o.isOver();
      const stream = await openEventStream(`${side.url}/v1/skiers/${skierId}/live`, headers);
      expect(stream.status).toBe(200);
      await stream.next('hello');
      await delay(isLast ? 500 : o.waitMs());
      stream.close();
      await until('it is cut off', () => stream.isOver());
      const ids = idsIn(stream);
      expect(new Set(ids).size).toBe(ids.length); // one stream tells nothing twice
      told.push(...ids);
      expect(stream.events.filter(({ event }) => event === 'reset')).toEqual([]);
      if (o.resumes) lastId = stream.lastId() ?? lastId;
      if (isLast) return told;
    }
  }

  test('is told of every ride, mostly once; who does not say where they were misses some', {
    timeout: 60_000,
  }, async () => {
    const waits = fc.sample(fc.integer({ min: 1, max: 60 }), { numRuns: 500, seed: 7 });
    const run = { isOver: false };
    const options = { isOver: () => run.isOver, waitMs: () => waits.pop() ?? 20 };
    const listeners = SKIERS.map((skierId) => listenOn(skierId, { ...options, resumes: true }));
    const control = listenOn(SKIERS[0] as number, { ...options, resumes: false });
    const begun = await Promise.all(
      SKIERS.map(async (skierId) => {
        const side = sides[0] as ReadSide;
        return openEventStream(`${side.url}/v1/skiers/${skierId}/live`, {
          authorization: `Bearer ${await side.token(skierId)}`,
        });
      }),
    );
    const counts = await writeAll();
    run.isOver = true;
    const told = await Promise.all(listeners);
    for (const [i, skierId] of SKIERS.entries()) {
      const steady = begun[i] as EventStream;
      await until('who stayed has heard of all', () => idsIn(steady).length === counts.get(skierId));
      expect(new Set(told[i])).toEqual(new Set(idsIn(steady)));
      expect(new Set(idsIn(steady)).size).toBe(idsIn(steady).length); // who stays is told once
      steady.close();
    }
    expect(new Set(await control).size).toBeLessThan(counts.get(SKIERS[0] as number) as number);
  });
});
