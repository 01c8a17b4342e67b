import { z } from 'zod';
import type { PoolSample } from './report.ts';

const EVERY_MS = 1_000;

const status = z.object({
  lanes: z.array(z.object({ scans: z.number(), oldestAgeS: z.number().nullable() })).nullable(),
});
const autoscale = z.object({ workers: z.number() });

export interface WatchedPool {
  /** of the supervisor */
  poolUrl: string;
  opsUrl: string;
  adminKey: string;
  /** what one worker stores, scans a second */
  ratePerS: number;
  onSample: (sample: PoolSample) => void;
}

/** Looks at the pool and the backlog once a second, until it is stopped. */
export class PoolWatch {
  readonly samples: PoolSample[] = [];
  readonly #o: WatchedPool;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(o: WatchedPool) {
    this.#o = o;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, EVERY_MS);
  }

  /** seconds since it began */
  get nowS(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const sample = await this.#sample();
      this.samples.push(sample);
      this.#o.onSample(sample);
    } catch {
      return; // the machine is busy: the next look is in a second
    }
  }

  async #sample(): Promise<PoolSample> {
    const { poolUrl, opsUrl, ratePerS } = this.#o;
    const [metrics, lanes, scaler] = await Promise.all([
      ask(`${poolUrl}/metrics`, {}).then((reply) => reply.text()),
      this.#askOps(`${opsUrl}/ops/status`, status).then((found) => found.lanes ?? []),
      this.#askOps(`${opsUrl}/ops/autoscale`, autoscale),
    ]);
    const ready = valueOf(metrics, 'liftline_pool_workers{state="ready"}');
    const backlogScans = lanes.reduce((sum, { scans }) => sum + scans, 0);
    return {
      atS: this.nowS,
      desired: valueOf(metrics, 'liftline_pool_workers{state="desired"}'),
      ready,
      backlogScans,
      backlogS: backlogScans / (ratePerS * Math.max(1, ready)),
      oldestS: Math.max(0, ...lanes.map(({ oldestAgeS }) => oldestAgeS ?? 0)),
      autoscale: scaler.workers,
    };
  }

  async #askOps<T>(url: string, schema: z.ZodType<T>): Promise<T> {
    const reply = await ask(url, { authorization: `Bearer ${this.#o.adminKey}` });
    return schema.parse(await reply.json());
  }
}

async function ask(url: string, headers: Record<string, string>): Promise<Response> {
  const reply = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
  return reply;
}

/** @throws Error when the metric is not there */
function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((entry) => entry.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no ${series}`);
  return Number(line.slice(series.length + 1));
}
