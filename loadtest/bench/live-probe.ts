import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { openDirectory } from '../../src/directory/database.ts';
import { loadSnapshot } from '../../src/directory/load-snapshot.ts';
import type { DirectorySnapshot } from '../../src/directory/snapshot.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { splitByNode } from '../../src/shards/batch-part.ts';
import { openWriteNodes } from '../../src/shards/write-nodes.ts';
import { storeParts } from '../../src/shards/writer.ts';
import { latencies } from '../client/latencies.ts';
import { until } from '../client/until.ts';
import { usageOf } from '../stack/process-tree.ts';
import { runChild } from './child.ts';
import { openListeners } from './live-listeners.ts';

const optionsSchema = z.object({
  ridesUrl: z.string(),
  ridesPid: z.number(),
  directoryUrl: z.string(),
  adminKey: z.string(),
  listeners: z.number(),
  seconds: z.number(),
  ratePerS: z.number(),
});
type Options = z.infer<typeof optionsSchema>;
const resultSchema = z.object({
  stored: z.number(),
  /** told to a listener of another skier, told twice, not told at all */
  wrong: z.number(),
  repeated: z.number(),
  missing: z.number(),
  /** from COMMIT to the listener */
  latency: z.object({ p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number(), maxMs: z.number() }),
  residentMB: z.object({ before: z.number(), listening: z.number(), after: z.number() }),
  /** of one core, percent */
  cpuPercent: z.object({ before: z.number(), listening: z.number(), telling: z.number() }),
});
export type LiveResult = z.infer<typeof resultSchema>;

const WARM_UP_LISTENERS = 200;
const WRITE_EVERY_MS = 20;
const GIVE_UP_MS = 10_000;
const RESORT_ID = 1;
const LIFTS = 40;

/** Listeners in a process of their own, which stores rides as a worker does and sees who is told of them. */
export async function liveProbe(o: Options): Promise<LiveResult> {
  return resultSchema.parse(await runChild(fileURLToPath(import.meta.url), o));
}

async function probe(o: Options): Promise<LiveResult> {
  const lifecycle = new Lifecycle({ logger: createLogger({ level: 'warn', process: 'live probe' }) });
  const told = new Told();
  const warmUp = await openListeners({ ...common(o, told), count: WARM_UP_LISTENERS });
  warmUp.close();
  const before = await watch(o);
  const listeners = await openListeners({ ...common(o, told), count: o.listeners });
  const listening = await watch(o);
  const writer = await Writer.open(o, told, lifecycle);
  const [telling] = await Promise.all([watch(o), writer.run()]);
  await until('every ride is told', () => (told.missing() === 0 ? true : undefined), { timeoutMs: GIVE_UP_MS }).catch(
    () => {}, // how many are missing is the result
  );
  if (!listeners.isAllOpen()) throw new Error('streams have ended');
  listeners.close();
  await lifecycle.stop(GIVE_UP_MS);
  return {
    ...told.result(),
    residentMB: { before: before.residentMB, listening: listening.residentMB, after: telling.residentMB },
    cpuPercent: { before: before.cpuPercent, listening: listening.cpuPercent, telling: telling.cpuPercent },
  };
}

const common = ({ ridesUrl, adminKey }: Options, told: Told) => ({
  url: ridesUrl,
  adminKey,
  onRide: (skierId: number, eventId: string) => told.hear(skierId, eventId),
});

/** What the rides process takes for the length of a phase. */
async function watch({ ridesPid, seconds }: Options): Promise<{ residentMB: number; cpuPercent: number }> {
  const [startedAt, cpuBefore] = [performance.now(), usageOf(ridesPid)?.cpuUs ?? Number.NaN];
  await delay(seconds * 1_000);
  const usage = usageOf(ridesPid);
  const ms = performance.now() - startedAt;
  const cpuUs = (usage?.cpuUs ?? Number.NaN) - cpuBefore;
  return { residentMB: (usage?.residentBytes ?? Number.NaN) / 1e6, cpuPercent: cpuUs / ms / 10 };
}

/** Who is to be told of which ride, and who was. A ride may be heard of before its COMMIT has returned here: at 0 ms. */
class Told {
  readonly #skierOf = new Map<string, number>();
  readonly #committedAt = new Map<string, number>();
  readonly #heardAt = new Map<string, number>();
  #wrong = 0;
  #repeated = 0;

  expect({ eventId, skierId }: Scan): void {
    this.#skierOf.set(eventId, skierId);
  }

  committed(eventId: string): void {
    this.#committedAt.set(eventId, performance.now());
  }

  hear(skierId: number, eventId: string): void {
    if (this.#skierOf.get(eventId) !== skierId) this.#wrong += 1;
    else if (this.#heardAt.has(eventId)) this.#repeated += 1;
    else this.#heardAt.set(eventId, performance.now());
  }

  missing(): number {
    return this.#committedAt.size - this.#heardAt.size;
  }

  result() {
    const samples = [...this.#heardAt].map(([id, at]) => Math.max(0, at - (this.#committedAt.get(id) ?? at)));
    const counts = { stored: this.#committedAt.size, wrong: this.#wrong, repeated: this.#repeated };
    return { ...counts, missing: this.missing(), latency: latencies(samples) };
  }
}

/** Stores rides of skiers to whom somebody listens with the statement of the workers, a write a lane and interval. */
class Writer {
  readonly #o: Options;
  readonly #told: Told;
  readonly #snapshot: DirectorySnapshot;
  readonly #nodes: ReturnType<typeof openWriteNodes>;

  private constructor(o: Options, told: Told, snapshot: DirectorySnapshot, lifecycle: Lifecycle) {
    const logger = createLogger({ level: 'warn', process: 'live probe' });
    this.#o = o;
    this.#told = told;
    this.#snapshot = snapshot;
    this.#nodes = openWriteNodes({ poolSize: 4, statementTimeoutMs: GIVE_UP_MS, logger, lifecycle });
  }

  static async open(o: Options, told: Told, lifecycle: Lifecycle): Promise<Writer> {
    const directory = openDirectory({ url: o.directoryUrl, lifecycle });
    return new Writer(o, told, await loadSnapshot(directory), lifecycle);
  }

  async run(): Promise<void> {
    const startedAt = performance.now();
    const writes: Promise<void>[] = [];
    let stored = 0;
    for (;;) {
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs > this.#o.seconds * 1_000) break;
      const due = Math.floor((elapsedMs / 1_000) * this.#o.ratePerS) - stored;
      stored += due;
      const scans = Array.from({ length: due }, () => this.#newScan());
      for (const [lane, ofLane] of Map.groupBy(scans, (scan) => this.#laneOf(scan))) {
        writes.push(this.#write(lane, ofLane));
      }
      await delay(WRITE_EVERY_MS);
    }
    await Promise.all(writes);
  }

  #laneOf({ skierId }: Scan): number {
    return laneOf(shardOf(skierId, this.#snapshot.shardCount), this.#snapshot.laneCount);
  }

  async #write(lane: number, scans: Scan[]): Promise<void> {
    for (const scan of scans) this.#told.expect(scan);
    const batch = { batchId: randomUUID(), acceptedAt: Date.now(), scans };
    for (const [nodeId, part] of splitByNode(batch, batch.batchId, this.#snapshot)) {
      const address = this.#snapshot.nodes.get(nodeId);
      if (!address) throw new Error(`there is no node ${nodeId}`);
      await storeParts(this.#nodes.of(address), lane, [part]);
    }
    for (const { eventId } of scans) this.#told.committed(eventId);
  }

  #newScan(): Scan {
    const skierId = 1 + Math.floor(Math.random() * this.#o.listeners);
    const liftId = 1 + Math.floor(Math.random() * LIFTS);
    const resort = this.#snapshot.resorts.get(RESORT_ID);
    const lift = resort?.lifts.get(liftId);
    if (!resort || !lift) throw new Error('the sample resorts are not there');
    const scannedAt = Date.now();
    const { verticalM } = lift;
    const eventId = randomUUID();
    const where = { resortId: RESORT_ID, liftId, verticalM, ...resort.calendar.locate(scannedAt) };
    return { eventId, skierId, deviceId: 1, scannedAt, ...where };
  }
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await probe(optionsSchema.parse(JSON.parse(process.argv[2] ?? '')))));
}
